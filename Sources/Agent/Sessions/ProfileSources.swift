import AgentAPI
import Clocks
import Files
import Logging
import ServiceAnswers
import Synchronization
import Tokens
import X509

/// The sources of all profiles: asks that of each profile for its sessions.
final class ProfileSources: CredentialSource {
    /// What is signed on tokens.
    let use: TokenUse
    private let exchange: TokenExchange
    private let assumeRole: AssumeRoleSource
    private let accessKey: AccessKeySource
    private let places = ExchangePlaces()
    private let log: Logger
    private let state: Mutex<State>

    private struct State {
        var profiles: [ProfileName: Profile]
        /// The files that `[[token]]` tables name.
        var pinFiles: [String]

        init(_ configuration: Configuration) {
            (profiles, pinFiles) = (configuration.profiles, configuration.pinFiles)
        }
    }

    init(_ configuration: Configuration, tokens: Tokens, clock: AgentClock, log: Logger) {
        self.log = log
        use = TokenUse(of: tokens, log: log)
        exchange = TokenExchange(tokens: tokens, use: use, clock: clock, log: log)
        assumeRole = AssumeRoleSource(clock: clock, log: log)
        accessKey = AccessKeySource(tokens: tokens, use: use, clock: clock, log: log)
        state = Mutex(State(configuration))
    }

    /// A reload. Attempts under way end with the configuration that they began with.
    func replace(_ configuration: Configuration) {
        state.withLock { $0 = State(configuration) }
        use.keep(Set(configuration.profiles.keys))
    }

    func needsPerson(for name: ProfileName) -> Bool? {
        let takesCode = state.withLock { state in
            if case .accessKey(let key)? = state.profiles[name]?.source { key.mfa != nil } else { false }
        }
        return takesCode ? true : use.needsPerson(for: name)
    }

    func isLocked(_ name: ProfileName) -> Bool { use.isLocked(name) }

    func files(of name: ProfileName) async -> [FileStamp?] {
        let paths = state.withLock { state in state.profiles[name].map { $0.files + state.pinFiles } ?? [] }
        return await onOwnThread { paths.map { FileStamp($0) } }
    }

    func credentials(
        for name: ProfileName, on occasion: Occasion, from base: SessionKey?
    ) async throws(Problem) -> SessionCredentials {
        do throws(Problem) {
            return try await places.during(occasion) { () async throws(Problem) in
                try await session(for: name, on: occasion, from: base)
            }
        } catch {
            log.warning(
                "no session",
                metadata: ["profile": "\(name)", "code": "\(error.code.rawValue)", "why": "\(error.detail)"])
            throw error
        }
    }

    /// Fetches one session of a profile, signed for this certificate, and throws it away.
    ///
    /// - Throws: Why there is none.
    func prove(_ certificate: Certificate, for name: ProfileName) async throws(Problem) {
        _ = try await places.during(.demand) { () async throws(Problem) in
            try await session(for: name, on: .demand, from: nil, with: certificate)
        }
    }

    private func session(
        for name: ProfileName, on occasion: Occasion, from base: SessionKey?, with certificate: Certificate? = nil
    ) async throws(Problem) -> SessionCredentials {
        guard let profile = state.withLock({ $0.profiles[name] }) else { throw .unknownProfile("\(name)") }
        switch profile.source {
        case .rolesAnywhere(let identity, let request):
            return try await exchange.session(of: name, profile, identity, request, on: occasion, with: certificate)
        case .iotCore(let identity, let request):
            return try await exchange.session(of: name, profile, identity, request, on: occasion, with: certificate)
        case .accessKey(let key):
            return try await accessKey.session(of: name, profile, key, on: occasion)
        case .assumeRole(let role):
            // The cache knows the same configuration, but for the moment of a reload.
            guard let base else { throw .changedMeanwhile }
            return try await assumeRole.session(of: name, role, caBundle: profile.caBundle, from: base)
        }
    }
}

extension Problem {
    fileprivate static let changedMeanwhile = Problem(
        .shuttingDown, "the configuration has changed meanwhile", hint: "try again", retryAfter: 1)
}

extension Profile {
    /// The files that it names.
    fileprivate var files: [String] {
        var files = [identity?.intermediates, caBundle].compactMap(\.self)
        if case .file(let path)? = identity?.certificate { files.append(path) }
        return files
    }
}

extension Configuration {
    fileprivate var pinFiles: [String] {
        tokens.compactMap { if case .file(let path) = $0.pinSource { path } else { nil } }
    }
}
