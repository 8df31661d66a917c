import AgentAPI
import HTTPTransport
import IoTCore
import ServiceAnswers
import X509

/// The credential provider of AWS IoT Core: TLS itself takes the signature, as the client's proof that it has the key of its
/// certificate.
extension RoleAliasRequest: SignedRequest {
    var roleName: String { roleAlias }

    func unsigned(caBundle: String?) -> HTTPRequest {
        HTTPRequest(method: .get, url: url, headers: headers, caBundle: caBundle, clientKey: .unknown)
    }

    func clientKey(of found: IdentityFinder.Found) -> ClientKey? {
        switch found.identity.certificate.publicKey {
        case .ec(.p256, _): .p256
        case .ec(.p384, _): .p384
        case .ec(.p521, _): .p521
        case .rsa: found.token.snapshot.hasPSS ? .rsa : .rsaWithoutPSS
        case .ec, .other: .unknown
        }
    }

    func send(
        on line: ServiceLine, signedBy signer: IdentitySigner, at _: Int64
    ) async throws(Problem) -> ServiceAnswer {
        let chain = [signer.found.identity.certificate.der] + signer.found.chain.map(\.der)
        return try await line.send(
            as: ClientIdentity(chain: chain) { wanted in
                try await signer.sign(wanted.message, by: wanted.scheme)
            })
    }

    func session(
        in answer: ServiceAnswer, for found: IdentityFinder.Found
    ) throws(Problem) -> SessionCredentials {
        do throws(RoleAliasError) {
            return try RoleAliasResponse.parse(answer)
        } catch {
            let serial = found.identity.certificate.serial.decimal
            throw error.problem(error.message, hint: error.hint { $0.hint(for: self, certificate: serial) })
        }
    }
}
