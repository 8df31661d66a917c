package import PKCS11URI
package import TokenService
package import X509

/// Every certificate on a set of tokens, read and paired with its key once.
///
/// It holds until the tokens change. Time and profiles come in only when something is chosen from it.
package struct Inventory: Sendable {
    package let tokens: [PresentToken]
    /// In the order of the tokens and of the objects on them.
    package let certificates: [FoundCertificate]

    package init(_ tokens: [PresentToken]) {
        let tokens = zip(tokens, tokens.map(\.location).uris).map { token, uri in
            var token = token
            token.uri = uri
            return token
        }
        self.tokens = tokens
        certificates = tokens.flatMap { token in
            var keys = TokenKeys(token.snapshot)
            return token.snapshot.certificates.map { FoundCertificate($0, on: token, &keys) }
        }
    }

    /// Those that could be read, which chains are built from.
    package var readable: [Certificate] { certificates.compactMap(\.certificate) }

    /// Every certificate with all that speaks against it at `now`, in seconds since 1970, whatever the profile.
    package func candidates(at now: Int64) -> [Candidate] { candidates(for: CertificateSelector(), at: now) }

    /// The same, with the reasons of a profile's selectors first.
    func candidates(for selector: CertificateSelector, at now: Int64) -> [Candidate] {
        paired(with: selector.key).map { Candidate($0, reasons: $0.reasons(for: selector, at: now)) }
    }

    /// The certificates with those private keys alone that a URI means.
    private func paired(with uri: PKCS11URI?) -> [FoundCertificate] {
        guard let uri else { return certificates }
        var rest = certificates[...]
        return tokens.flatMap { token in
            let own = rest.prefix(token.snapshot.certificates.count)
            rest = rest.dropFirst(own.count)
            var keys = uri.matches(token.location) ? TokenKeys(token.snapshot, meant: uri) : nil
            return own.map { $0.paired(with: &keys, on: token, uri) }
        }
    }
}

/// A certificate object on a token.
package struct FoundCertificate: Hashable, Sendable {
    package let module: Int
    /// CKA_LABEL
    package let label: [UInt8]
    /// CKA_ID
    package let id: [UInt8]
    package let uri: PKCS11URI
    package let content: Result<Certificate, CertificateError>
    /// Nil where no usable key was found.
    package private(set) var key: KeyLocation?
    private var missingKey: DropReason?
    private let location: LocatedToken

    init(_ object: CertificateObject, on present: PresentToken, _ keys: inout TokenKeys) {
        module = present.module
        location = present.location
        label = object.label
        id = object.id
        uri = PKCS11URI(of: present, label: object.label, id: object.id, type: .certificate)
        do throws(CertificateError) {
            let certificate = try Certificate(der: object.value)
            content = .success(certificate)
            let pairing = keys.pairing(of: certificate.publicKey, id: object.id)
            key = KeyLocation(pairing, certificateID: object.id, on: present)
            missingKey = if case .none(let reason) = pairing { reason } else { nil }
        } catch {
            content = .failure(error)
            key = nil
            missingKey = nil
        }
    }

    /// The same with a key that a URI means, of `keys`; nil where it means none of the token's.
    fileprivate func paired(with keys: inout TokenKeys?, on present: PresentToken, _ uri: PKCS11URI) -> Self {
        guard let certificate else { return self }
        var paired = self
        let pairing = keys?.pairing(of: certificate.publicKey, id: id) ?? .none(.noKey)
        paired.key = KeyLocation(pairing, certificateID: uri.id ?? id, on: present)
        paired.missingKey =
            if case .none(let reason) = pairing { reason == .noKey ? .noNamedKey : reason } else { nil }
        return paired
    }

    package var certificate: Certificate? { try? content.get() }  // the error is in `content` for those who explain

    func reasons(for selector: CertificateSelector, at now: Int64) -> [DropReason] {
        var reasons: [DropReason] = []
        if !selector.uris.isEmpty, rank(in: selector.uris) == nil { reasons.append(.otherURI) }
        switch content {
        case .failure(let error): reasons.append(.unreadable(error))
        case .success(let certificate):
            reasons += selector.reasons(against: certificate)
            reasons += IdentityRules.reasons(against: certificate, at: now)
        }
        if let missingKey { reasons.append(missingKey) }
        if key?.visibility == .hidden { reasons.append(.keyHidden) }
        return reasons
    }

    /// Whether the URI means this object.
    package func isMeant(by uri: PKCS11URI) -> Bool { rank(in: [uri]) != nil }

    /// Which of the URIs is the first that means this object.
    func rank(in uris: [PKCS11URI]) -> Int? {
        uris.firstIndex { uri in
            uri.matches(location) && uri.matchesObject(label: label, id: id, type: .certificate)
        }
    }
}

extension KeyLocation {
    /// Nil where there is no key.
    init?(_ pairing: Pairing, certificateID: [UInt8], on present: PresentToken) {
        switch pairing {
        case .none: return nil
        case .hidden: self.init(.hidden, label: [], id: certificateID, isConfirmed: false, on: present)
        case .seen(let key, let isConfirmed):
            self.init(.seen(key), label: key.label, id: key.id, isConfirmed: isConfirmed, on: present)
        case .publicHalf(let key, let isConfirmed):
            // Only its CKA_ID is the private key's too; its label need not be.
            self.init(.publicHalf(key), label: [], id: key.id, isConfirmed: isConfirmed, on: present)
        }
    }

    init(_ visibility: Visibility, label: [UInt8], id: [UInt8], isConfirmed: Bool, on present: PresentToken) {
        module = present.module
        slotID = present.snapshot.slotID
        token = present.snapshot.token
        uri = PKCS11URI(of: present, label: label, id: id, type: .privateKey)
        self.id = id
        self.visibility = visibility
        self.isConfirmed = isConfirmed
    }
}

extension PKCS11URI {
    /// An object's URI, without the attributes that it does not have.
    fileprivate init(of present: PresentToken, label: [UInt8], id: [UInt8], type: ObjectClass) {
        self = present.uri.naming(object: label.isEmpty ? nil : label, id: id.isEmpty ? nil : id, type: type)
    }
}

/// A token as one of the workers sees it.
package struct PresentToken: Hashable, Sendable {
    /// Which worker, by the caller's numbering. A card that two modules see is there twice.
    package var module: Int
    /// The attributes that URIs are matched with.
    package var location: LocatedToken
    package var snapshot: TokenSnapshot
    /// It names the module as well where another one shows an equal token.
    var uri: PKCS11URI

    package init(module: Int, location: LocatedToken, snapshot: TokenSnapshot) {
        self.module = module
        self.location = location
        self.snapshot = snapshot
        uri = PKCS11URI(token: snapshot.token)
    }
}

extension TokenSnapshot {
    /// True if there may be objects that the token shows only after a login.
    var hidesObjects: Bool { flags.contains(.loginRequired) && !isLoggedIn }
}
