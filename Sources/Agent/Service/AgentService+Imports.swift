import AgentAPI
import KeeperService
import PKCS11URI
import TokenService
import Tokens
import X509

extension AgentService {
    /// Has a keeper read a key file, before anything logs in, and write what it holds to the token.
    func importKey(_ body: KeyImportBody) async throws(Problem) -> KeyImportListing {
        let (token, uri) = try await onlyToken(body.uri)
        guard uri.isTokenOnly else {
            throw Problem(
                .badRequest, "the URI names an object, and a key is written to a token", hint: "give '\(uri.tokenPart)'"
            )
        }
        try checkTakesImports(token)
        let listing = try await tokens.keeping(
            token, pin: body.pin,
            before: { (kept) throws(Problem) in
                try kept.checkTakesImports()
                guard case .keyFile(let report) = try await kept.ask(.openKeyFile(body.file), secret: body.password)
                else {
                    throw Problem(.internalFault, "the keeper gave another answer than the one asked for")
                }
                return report
            }
        ) { (kept, report) throws(Problem) in
            let request = KeyImport(token: kept.reference, id: body.id, label: body.label)
            guard case .key(let key) = try await kept.ask(.importKey(request)) else {
                throw Problem(.internalFault, "the keeper gave another answer than the one asked for")
            }
            return KeyImportListing(KeyListing(key, on: kept.token, kept.module), report)
        }
        await cache.stateChanged()
        return listing
    }

    /// ykcs11 lets the card's management key alone write keys.
    private func checkTakesImports(_ token: FoundToken) throws(Problem) {
        guard KeyProvider.isYubiKey(token.snapshot.token) else { return }
        throw Problem(
            .tokenRefused, "token \(token.snapshot.token.displayName, .token) takes keys by its management key alone",
            hint:
                "use 'yubico-piv-tool -a import-key -a import-certificate -s SLOT -K PKCS12 -i FILE -k', where SLOT is 9a, "
                + "9c, 9d, 9e or 82 to 95")
    }
}

extension KeptToken {
    /// tpm2-pkcs11 takes public keys and data from outside alone.
    fileprivate func checkTakesImports() throws(Problem) {
        guard KeyProvider(module) == .tpm else { return }
        throw Problem(
            .tokenRefused, "token \(token.snapshot.token.displayName, .token) takes no private keys by its module",
            hint: "use 'tpm2_ptool import --label TOKEN --key-label LABEL --id ID --userpin PIN --privkey KEY.pem "
                + "--algorithm rsa|ecc', then 'tpm2_ptool addcert'")
    }
}

extension KeyImportListing {
    fileprivate init(_ key: KeyListing, _ file: KeyFileReport) {
        self.init()
        self.key = key
        subject = file.certificate.map(Self.subject)
        intermediates = file.intermediates.map(Self.subject)
        leftOut = file.leftOut
    }

    /// A certificate that the keeper has read is read here too.
    private static func subject(_ der: [UInt8]) -> String {
        (try? Certificate(der: der))?.subject.description ?? "?"
    }
}
