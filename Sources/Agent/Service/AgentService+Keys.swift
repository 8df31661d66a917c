import AgentAPI
import Encodings
import KeeperService
import PKCS11URI
import TokenService
import Tokens

extension AgentService {
    /// The operations behind `/v1/keys`.
    nonisolated func keyOperations() -> KeyOperations {
        KeyOperations(
            list: { () throws(Problem) in await self.listKeys() },
            generate: { (body) throws(Problem) in try await self.generateKey(body) },
            bring: { (body) throws(Problem) in try await self.importKey(body) },
            verify: { (body) throws(Problem) in try await self.verifyKey(body) },
            destroy: { (body) throws(Problem) in try await self.destroyKey(body) })
    }

    /// Every key that the tokens show as they are: without a login, some show public keys alone.
    private func listKeys() async -> [KeyListing] {
        await tokens.survey().tokens.flatMap { token in
            KeyListing.all(of: token)
        }
    }

    private func generateKey(_ body: KeyGenerationBody) async throws(Problem) -> KeyListing {
        let (token, uri) = try await onlyToken(body.uri)
        guard uri.isTokenOnly else {
            throw Problem(
                .badRequest, "the URI names an object, and a new key is made on a token",
                hint: "give '\(uri.tokenPart)'")
        }
        try check(token, isFit: "generate", body.type)
        let listing = try await tokens.keeping(token, pin: body.pin) { (kept) throws(Problem) in
            let request = KeyGeneration(token: kept.reference, type: body.type, id: body.id, label: body.label)
            return try kept.listing(await kept.ask(.generateKey(request)))
        }
        await cache.stateChanged()
        return listing
    }

    private func verifyKey(_ body: KeyBody) async throws(Problem) -> KeyListing {
        let (token, uri) = try await onlyToken(body.uri)
        try checkMayBeKey(uri)
        return try await tokens.keeping(token, pin: body.pin) { (kept) throws(Problem) in
            try kept.listing(await kept.ask(.readKey(uri.selection(on: kept.reference))))
        }
    }

    private func destroyKey(_ body: KeyBody) async throws(Problem) -> KeyListing {
        let (token, uri) = try await onlyToken(body.uri)
        guard uri.id != nil || uri.object != nil else {
            throw Problem(
                .badRequest, "the URI names no key", hint: "'tokenward key list' shows the keys and their URIs")
        }
        try checkMayBeKey(uri)
        try check(serial: body.serial, of: token)
        try check(token, isFit: "delete-key", nil)
        let listing = try await tokens.keeping(token, pin: body.pin) { (kept) throws(Problem) in
            try kept.listing(await kept.ask(.destroyKey(uri.selection(on: kept.reference))))
        }
        await cache.stateChanged()
        return listing
    }

    /// Whoever names a certificate, or a public key alone, does not mean the private key with the same id.
    private func checkMayBeKey(_ uri: PKCS11URI) throws(Problem) {
        guard let type = uri.type, type != .privateKey else { return }
        throw Problem(
            .badRequest, "the URI has another type than private",
            hint: "'tokenward key list' shows the keys and their URIs; nothing was changed")
    }

    /// ykcs11 lets the card's management key alone make keys, and answers CKR_OK to the deletion of one, leaves it, and deletes
    /// its certificate: the vendor's program does both.
    private func check(_ token: FoundToken, isFit action: String, _ type: NewKeyType?) throws(Problem) {
        guard KeyProvider.isYubiKey(token.snapshot.token) else { return }
        let algorithm = type.map { " -A \($0.yubicoName)" } ?? ""
        throw Problem(
            .tokenRefused,
            "token \(token.snapshot.token.displayName, .token) takes such changes by its management key alone",
            hint: "use 'yubico-piv-tool -a \(action) -s SLOT\(algorithm) -k', where SLOT is 9a, 9c, 9d, 9e or 82 to 95")
    }
}

extension PKCS11URI {
    fileprivate func selection(on token: TokenReference) -> KeySelection {
        KeySelection(token: token, id: id, label: object)
    }
}

extension NewKeyType {
    fileprivate var yubicoName: String {
        switch self {
        case .p256: "ECCP256"
        case .p384: "ECCP384"
        case .p521: "ECCP521"
        case .rsa2048: "RSA2048"
        case .rsa3072: "RSA3072"
        case .rsa4096: "RSA4096"
        }
    }
}

extension KeptToken {
    /// What a keeper has answered to a request about a key.
    fileprivate func listing(_ reply: KeeperReply) throws(Problem) -> KeyListing {
        switch reply {
        case .key(let report), .destroyed(let report): return KeyListing(report, on: token, module)
        case .failed, .keyFile, .certificates:
            throw Problem(.internalFault, "the keeper gave another answer than the one asked for")
        }
    }
}
