import AgentAPI

/// An operation with its arguments, read from a request.
enum Invocation: Sendable {
    case credentials(ProfileName, Answer.Form)
    case refresh(ProfileName, BroughtCode?)
    case explain(ProfileName)
    case profiles, identities, tokens, reload, status
    case unlock(UnlockBody)
    case lock(LockBody)
    case certificates(CertificatesBody)
    case certificateRequest(CertificateRequestBody)
    case installCertificate(CertificateInstallBody)
    case removeCertificate(CertificateRemovalBody)
    case keys
    case generateKey(KeyGenerationBody)
    case importKey(KeyImportBody)
    case verifyKey(KeyBody)
    case destroyKey(KeyBody)

    /// - Parameters:
    ///   - form: How the listener answers.
    ///   - profile: The one in the path, for the routes that have one.
    /// - Throws: `badRequest` when the body is not what the route takes.
    init(
        _ action: Route.Action, _ form: Answer.Form, profile: ProfileName?, body: Span<UInt8>
    ) throws(Problem) {
        switch (action, profile) {
        case (.unlock, _): self = .unlock(try UnlockBody(body))
        case (.lock, _): self = .lock(try LockBody(body))
        case (.certificates, _): self = .certificates(try CertificatesBody(body))
        case (.certificateRequest, _): self = .certificateRequest(try CertificateRequestBody(body))
        case (.installCertificate, _): self = .installCertificate(try CertificateInstallBody(body))
        case (.removeCertificate, _): self = .removeCertificate(try CertificateRemovalBody(body))
        case (.keys, _): self = .keys
        case (.generateKey, _): self = .generateKey(try KeyGenerationBody(body))
        case (.importKey, _): self = .importKey(try KeyImportBody(body))
        case (.verifyKey, _): self = .verifyKey(try KeyBody(body))
        case (.destroyKey, _): self = .destroyKey(try KeyBody(body, needsSerial: true))
        case (.credentials, let profile?): self = .credentials(profile, form)
        case (.refresh, let profile?): self = .refresh(profile, try RefreshBody(body).code.map(BroughtCode.init))
        case (.explain, let profile?): self = .explain(profile)
        case (.profiles, _): self = .profiles
        case (.identities, _): self = .identities
        case (.tokens, _): self = .tokens
        case (.reload, _): self = .reload
        case (.status, _): self = .status
        // No route's path leaves the name out, and health is answered from memory.
        case (.credentials, nil), (.refresh, nil), (.explain, nil), (.health, _):
            throw Problem(.notFound, "no profile is named")
        }
    }

    /// The MFA code that came with it.
    var code: BroughtCode? { if case .refresh(_, let code) = self { code } else { nil } }

    /// The answer; a problem becomes one as well.
    ///
    /// - Parameter isOwner: Whether the agent's owner asks.
    func answer(from operations: AgentOperations, isOwner: Bool) async -> Answer {
        do throws(Problem) {
            switch self {
            case .credentials(let profile, .own):
                return .credentials(try await operations.credentials(profile), .own)
            case .credentials(let profile, .endpoint):
                return .credentials(try await operations.heldCredentials(profile), .endpoint)
            case .refresh(let profile, _): return .credentials(try await operations.refresh(profile, isOwner), .own)
            case .explain(let profile): return .message(try await operations.explain(profile))
            case .profiles: return .message(try await operations.profiles())
            case .identities: return .message(try await operations.identities())
            case .tokens: return .message(try await operations.tokens())
            case .keys: return .message(try await operations.keys.list())
            case .generateKey(let body): return .message(try await operations.keys.generate(body))
            case .importKey(let body): return .message(try await operations.keys.bring(body))
            case .verifyKey(let body): return .message(try await operations.keys.verify(body))
            case .destroyKey(let body): return .message(try await operations.keys.destroy(body))
            case .status: return .message(try await operations.status())
            case .unlock(let body): try await operations.unlock(body.uri, body.pin, body.isFromLogin)
            case .lock(let body): try await operations.lock(body.uri)
            case .reload: try await operations.reload()
            case .certificates(let body): return .message(try await operations.certificates.find(body.uri))
            case .certificateRequest(let body):
                return .message(["pem": try await operations.certificates.request(body)])
            case .installCertificate(let body): return .message(try await operations.certificates.install(body))
            case .removeCertificate(let body): try await operations.certificates.remove(body)
            }
            return .noContent
        } catch {
            return .problem(error)
        }
    }
}
