import ASN1
import AgentAPI
import Identities
import PKCS11URI
import TokenService
import Tokens
import UTCTime
import X509

extension TokenListing {
    init(_ found: FoundToken) {
        let token = found.snapshot.token
        self.init()
        uri = "\(found.uri)"
        label = text(token.label)
        manufacturer = text(token.manufacturer)
        model = text(token.model)
        serial = text(token.serial)
        module = found.shownModule
        pinTries = Word(PINTries(found.snapshot.flags, hidesCount: found.hidesCount))
        pinpad = found.rule?.pinSource == .protected
        awaiting = found.awaited.map { Word($0 == .touch ? .touch : .pinpad) }
        state =
            if found.snapshot.failure != nil {
                Word(.failed)
            } else if found.isBlocked {
                Word(.pinBlocked)
            } else if found.needsLogin || found.isLocked {
                Word(.pinNeeded)
            } else {
                Word(.ready)
            }
    }
}

extension TokenListing.PINTries {
    init(_ flags: TokenFlags, hidesCount: Bool) {
        self =
            if flags.contains(.userPINLocked) {
                .locked
            } else if flags.contains(.userPINFinalTry) {
                .final
            } else if flags.contains(.userPINCountLow) {
                .low
            } else {
                hidesCount ? .unknown : .ok
            }
    }
}

extension ModuleStatus {
    init(_ module: FoundModule) {
        self.init()
        self.module = module.name
        state = Word(module.failure == nil ? .running : .failed)
        lastError = module.failure
    }
}

extension IdentityListing {
    init(_ candidate: Candidate, profiles: [String]) {
        let certificate = candidate.certificate
        self.init()
        uri = candidate.uri.map { "\($0)" } ?? ""
        token = candidate.uri?.token.map(text) ?? ""
        subject = certificate?.subject.description ?? ""
        issuer = certificate?.issuer.description ?? ""
        serial = certificate?.serial.decimal ?? ""
        notBefore = time(certificate?.notBefore)
        notAfter = time(certificate?.notAfter)
        keyType = certificate?.publicKey.description ?? ""
        hasKey = candidate.hasKey
        usable = candidate.isUsable || candidate.isUsableAfterLogin
        reasons = candidate.reasons.map(\.message)
        self.profiles = profiles
    }
}

extension CertificateListing {
    /// Nil for one that cannot be read.
    ///
    /// - Parameter others: The certificates on its token.
    init?(_ candidate: Candidate, beside others: [Certificate], at now: Int64) {
        guard let certificate = candidate.certificate else { return nil }
        self.init()
        uri = candidate.uri.map { "\($0)" } ?? ""
        pem = PEM.encode(certificate.der, label: "CERTIFICATE")
        chain = CertificateChain.intermediates(for: certificate, from: others, at: now).map {
            PEM.encode($0.der, label: "CERTIFICATE")
        }
        keyURI = candidate.hasKey ? candidate.key.map { "\($0.uri)" } : nil
        keyReason = candidate.reasons.first(where: \.isAboutKey)?.message
    }
}

extension ExplainedCandidate {
    init(_ candidate: Candidate) {
        self.init()
        uri = (candidate.uri ?? candidate.key?.uri).map { "\($0)" } ?? ""
        subject = candidate.certificate?.subject.description ?? ""
        serial = candidate.certificate?.serial.decimal ?? ""
        notAfter = time(candidate.certificate?.notAfter)
        chosen = candidate.verdict == .chosen
        reasons = candidate.explanation
    }
}

extension ExplainedCandidate {
    /// - Parameter reasons: Why this token is not asked; none for the one that is.
    init(_ key: TokenAccessKey, on token: FoundToken, _ reasons: [String]) {
        self.init()
        uri = "\(token.uri.naming(object: key.secretKey.object, id: key.secretKey.id, type: .secretKey))"
        subject = "access key \(key.id)"
        serial = ""
        notAfter = ""
        chosen = reasons.isEmpty
        self.reasons = chosen ? ["the one token that secret-key names: it is asked for SigV4's date key"] : reasons
    }
}

extension ProfileStatus.NextGesture {
    /// The gesture that a person will be asked for, and when at the earliest; nil if sessions need no person.
    ///
    /// - Parameter nextNeeded: When the next signature is asked for if not before, in seconds since 1970; nil: it can be
    ///   asked for now.
    init?(_ token: FoundToken, alwaysAuthenticates: Bool, nextNeeded: Int64?, at now: Moment) {
        let present = now.wall / 1000
        let due = max(nextNeeded ?? present, present)
        let each = Gesture(
            eachSignatureBy: token.rule, flags: token.snapshot.flags, alwaysAuthenticates: alwaysAuthenticates)
        if token.isLocked {
            self.init(.pin, due)
        } else if let each {
            self.init(each, due)
        } else if token.hasStoredPIN || !token.snapshot.flags.contains(.loginRequired) {
            return nil
        } else if !token.snapshot.isLoggedIn {
            self.init(.pin, due)
        } else if let loginEnds = token.loginEnds {
            self.init(.pin, max(due, (now.wall + loginEnds - now.boot) / 1000))
        } else {
            return nil
        }
    }

    /// An MFA code, which each session takes.
    init(codeAt nextNeeded: Int64?, at now: Moment) {
        self.init()
        kind = Word(.mfaCode)
        due = time(max(nextNeeded ?? 0, now.wall / 1000))
    }

    private init(_ gesture: Gesture, _ due: Int64) {
        self.init()
        kind = Word(gesture == .touch ? .touch : .pin)
        self.due = time(due)
    }
}

/// RFC 3339, UTC; empty where there is none.
private func time(_ second: Int64?) -> String { second.map { "\(UTCTime(secondsSince1970: $0))" } ?? "" }

/// Text of a token for JSON: what is not UTF-8 becomes U+FFFD; the URI has it exactly.
private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
