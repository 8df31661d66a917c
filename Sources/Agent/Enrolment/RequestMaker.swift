import ASN1
import AgentAPI
import CertificateRequests
import DistinguishedNames
import Identities
import SignatureSchemes
import TokenService
import Tokens
import X509

/// Makes certificate requests that keys on tokens sign. The agent writes every byte that is signed.
struct RequestMaker: Sendable {
    let finder: KeyFinder
    let signer: TokenSigner

    /// - Returns: PEM.
    /// - Throws: `badRequest` before any token is asked where subject or names are none.
    func request(_ body: CertificateRequestBody) async throws(Problem) -> String {
        let subject: SubjectName
        do throws(DistinguishedNameError) {
            subject = try SubjectName(body.subject)
        } catch {
            throw Problem(
                .badRequest, "the subject: \(error.message, .reason)",
                hint: "write it as RFC 4514 does, such as 'CN=build-7,OU=CI,O=Example'")
        }
        let names = try alternativeNames(body.names)
        let key = try await finder.find(body.key, pin: body.pin)
        let guesses = key.token.snapshot.publicKeys(of: key.object)
        guard let guess = guesses.first else {
            throw Problem(
                .noIdentity, "the token shows no public key of \(key.uri, .uri)",
                hint: "write its public key or its certificate beside it, with the same CKA_ID")
        }
        for info in guesses { try check(info, of: key) }
        let first = try await signed(subject, names, info: guess, key)
        // The signature tells which of the public keys is its own, and the request must name that one.
        guard let own = guesses.first(where: first.isVerified) else { throw key.misfit }
        if own == guess { return first.pem }
        let second = try await signed(subject, names, info: own, key)
        guard second.isVerified(by: own) else { throw key.misfit }
        return second.pem
    }

    private func alternativeNames(_ texts: [String]) throws(Problem) -> [AlternativeName] {
        guard texts.count <= AlternativeName.most else {
            throw Problem(
                .badRequest, "there are more than \(AlternativeName.most, .limit) alternative names",
                hint: "leave some out: a certificate for Roles Anywhere needs none")
        }
        var names: [AlternativeName] = []
        for (index, text) in texts.enumerated() {
            do throws(AlternativeNameError) {
                names.append(try AlternativeName(text))
            } catch {
                throw Problem(
                    .badRequest, "alternative name \(index + 1, .count): \(error.message, .reason)",
                    hint: "write DNS:host.example, URI:spiffe://…, email:name@example or IP:192.0.2.1")
            }
        }
        return names
    }

    private func check(_ info: PublicKeyInfo, of key: KeyFinder.Found) throws(Problem) {
        guard IdentityRules.isSupported(info.key) else {
            let reason = DropReason.unsupportedKey(info.key.description).message
            throw Problem(
                .noIdentity, "the key \(key.uri, .uri): \(reason, .reason)", hint: "make a key of another type")
        }
    }

    /// A request that names a public key, and the signature over it.
    private struct Signed {
        let message: [UInt8]
        let signature: [UInt8]
        let scheme: SignatureScheme
        let pem: String

        func isVerified(by info: PublicKeyInfo) -> Bool {
            info.verifies(signature: signature, message: message, scheme: scheme)
        }
    }

    private func signed(
        _ subject: SubjectName, _ names: [AlternativeName], info: PublicKeyInfo, _ key: KeyFinder.Found
    ) async throws(Problem) -> Signed {
        let request = CertificateRequest(subject: subject, publicKeyInfo: info.der, alternativeNames: names)
        let scheme = info.key.requestScheme
        let signature = try await signer.signature(
            over: request.toBeSigned, by: scheme,
            with: SigningKey(
                token: TokenReference(slotID: key.token.snapshot.slotID, token: key.token.snapshot.token),
                id: key.object.id, label: key.object.label, publicHalf: key.object.publicHalf, publicKey: info.key),
            on: key.token)
        guard let der = request.signed(signature, by: scheme) else {
            throw Problem(.internalFault, "no request is made with \(scheme.name, .reason)")
        }
        return Signed(
            message: request.toBeSigned, signature: signature, scheme: scheme,
            pem: PEM.encode(der, label: "CERTIFICATE REQUEST"))
    }
}

extension PublicKey {
    /// RSA with SHA-256, and ECDSA with the hash of the curve's strength (RFC 5480 §4), as CAs expect them of requests.
    fileprivate var requestScheme: SignatureScheme {
        switch self {
        case .rsa, .other: SignatureScheme(.rsaPKCS1, .sha256)
        case .ec(.p384, _): SignatureScheme(.ecdsa, .sha384)
        case .ec(.p521, _): SignatureScheme(.ecdsa, .sha512)
        case .ec: SignatureScheme(.ecdsa, .sha256)
        }
    }
}

extension KeyFinder.Found {
    fileprivate var misfit: Problem {
        Problem(
            .signatureInvalid, "the signature of \(uri, .uri) fits no public key that the token shows for it",
            hint: "give the key's public half or its certificate the CKA_ID and the label of the key")
    }
}
