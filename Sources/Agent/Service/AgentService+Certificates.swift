import AgentAPI
import KeeperService
import Tokens

extension AgentService {
    /// The operations behind `/v1/certificates`.
    nonisolated func certificateOperations() -> CertificateOperations {
        CertificateOperations(
            find: { [finder] (uri) throws(Problem) in try await finder.certificates(matching: uri) },
            request: { [tokens] (body) throws(Problem) in
                try await RequestMaker(
                    finder: KeyFinder(tokens: tokens),
                    signer: TokenSigner(tokens: tokens, occasion: .demand, allow: AllowList())
                ).request(body)
            },
            install: { (body) throws(Problem) in try await self.installCertificate(body) },
            remove: { (body) throws(Problem) in try await self.removeCertificate(body) })
    }

    private func installCertificate(_ body: CertificateInstallBody) async throws(Problem) -> CertificateInstallListing {
        let installer = CertificateInstaller(
            tokens: tokens, finder: finder, source: source, clock: clock,
            selectors: configuration.profiles.compactMapValues(\.identity))
        let result: Result<CertificateInstallListing, Problem>
        do throws(Problem) {
            result = .success(try await installer.install(body))
        } catch {
            result = .failure(error)
        }
        await cache.stateChanged()  // also after a trial that failed, with what it has left
        return try result.get()
    }

    private func removeCertificate(_ body: CertificateRemovalBody) async throws(Problem) {
        let (token, _) = try await onlyToken(body.uri)
        try token.checkTakesCertificates("delete-certificate")
        try await tokens.keeping(token, pin: body.pin) { (kept) throws(Problem) in
            _ = try await kept.changes(
                .removeCertificates(CertificateRemoval(token: kept.reference, certificates: [body.certificate.der])))
        }
        await cache.stateChanged()
    }
}
