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
        let state: State =
            if found.snapshot.failure != nil {
                .failed
            } else if found.isBlocked {
                .pinBlocked
            } else if found.needsLogin || found.isLocked {
                .pinNeeded
            } else {
                .ready
            }
        self.init(
            uri: "\(found.uri)", label: text(token.label), manufacturer: text(token.manufacturer),
            model: text(token.model), serial: text(token.serial), module: found.shownModule, present: true,
            state: state, pinTries: PINTries(found.snapshot.flags, hidesCount: found.hidesCount),
            pinpad: found.rule?.pinSource == .protected,
            awaiting: found.awaited.map { $0 == .touch ? .touch : .pinpad })
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
        self.init(module: module.name, state: module.failure == nil ? .running : .failed, lastError: module.failure)
    }
}

extension IdentityListing {
    init(_ candidate: Candidate, profiles: [String]) {
        let certificate = candidate.certificate
        let date = { (seconds: Int64?) in seconds.map { "\(UTCTime(secondsSince1970: $0))" } ?? "" }
        self.init(
            uri: candidate.uri.map { "\($0)" } ?? "", token: candidate.uri?.token.map(text) ?? "",
            subject: certificate?.subject.description ?? "", issuer: certificate?.issuer.description ?? "",
            serial: certificate?.serial.decimal ?? "", notBefore: date(certificate?.notBefore),
            notAfter: date(certificate?.notAfter), keyType: certificate?.publicKey.description ?? "",
            hasKey: candidate.hasKey, usable: candidate.isUsable || candidate.isUsableAfterLogin,
            reasons: candidate.reasons.map(\.message), profiles: profiles)
    }
}

extension ExplainedCandidate {
    init(_ candidate: Candidate) {
        self.init(
            uri: (candidate.uri ?? candidate.key?.uri).map { "\($0)" } ?? "",
            subject: candidate.certificate?.subject.description ?? "",
            serial: candidate.certificate?.serial.decimal ?? "",
            notAfter: candidate.certificate.map { "\(UTCTime(secondsSince1970: $0.notAfter))" } ?? "",
            chosen: candidate.verdict == .chosen, reasons: candidate.explanation)
    }
}

/// Text of a token for JSON: what is not UTF-8 becomes U+FFFD; the URI has it exactly.
private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
