import AWSNames
import AgentAPI
import HTTPTransport
import RolesAnywhere
import ServiceAnswers
import SignatureSchemes
import X509

/// IAM Roles Anywhere: the signature is in the request.
extension CreateSessionRequest: SignedRequest {
    var roleName: String { "\(scope.roleARN)" }

    func unsigned(caBundle: String?) -> HTTPRequest {
        HTTPRequest(
            method: .post(body: body), url: url, caBundle: caBundle, allowsLoopbackPlaintext: endpoint.isPlaintext)
    }

    func clientKey(of found: IdentityFinder.Found) throws(Problem) -> ClientKey? {
        _ = try SigningCertificate(found)
        return nil
    }

    func send(
        on line: ServiceLine, signedBy signer: IdentitySigner, at now: Int64
    ) async throws(Problem) -> ServiceAnswer {
        let certificate = try SigningCertificate(signer.found)
        let draft = draft(by: certificate, at: now, sha256: Digest.sha256)
        let scheme = SignatureScheme(certificate.keyKind == .rsa ? .rsaPKCS1 : .ecdsa, .sha256)
        let signature = try await signer.sign(draft.stringToSign, by: scheme)
        try await line.open()  // a touch may have taken longer than the server waits
        return try await line.send(draft.signed(signature: signature))
    }

    func session(
        in answer: ServiceAnswer, for found: IdentityFinder.Found
    ) throws(Problem) -> SessionCredentials {
        do throws(CreateSessionError) {
            return try CreateSessionResponse.parse(answer, to: self)
        } catch {
            let issuer = found.identity.certificate.issuer.description
            throw error.problem(error.message, hint: error.hint(issuer: issuer, chainCount: found.chain.count))
        }
    }
}

extension SigningCertificate {
    fileprivate init(_ found: IdentityFinder.Found) throws(Problem) {
        let certificate = found.identity.certificate
        do throws(RequestFault) {
            try self.init(
                der: certificate.der, serial: certificate.serial.decimal, keyKind: certificate.keyKind,
                chain: found.chain.map(\.der))
        } catch {
            throw Problem(
                .noIdentity,
                "\(found.identity.certificateURI ?? found.identity.key.uri, .uri): \(error.message, .reason)",
                hint: "have the certificate issued anew, or name another one")
        }
    }
}

extension Certificate {
    /// By the key, not by how the certificate itself is signed.
    fileprivate var keyKind: SigningCertificate.KeyKind {
        if case .rsa = publicKey { .rsa } else { .ec }
    }
}
