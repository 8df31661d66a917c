import AWSNames
import AgentAPI
import Glibc
import Identities
import Outcomes
import PKCS11URI
import TokenService
import Tokens
import UTCTime

extension AgentService {
    /// The operations behind the server's routes.
    func operations() -> AgentOperations {
        let cache = cache
        return AgentOperations(
            cachedCredentials: { cache.published.ready($0).map(IssuedCredentials.init) },
            credentials: { (name) throws(Problem) in IssuedCredentials(try await cache.credentials(for: name)) },
            heldCredentials: { (name) throws(Problem) in IssuedCredentials(try await cache.held(for: name)) },
            refresh: { (name, isOwner) throws(Problem) in
                IssuedCredentials(try await cache.refresh(name, isOwner: isOwner))
            },
            explain: { (name) throws(Problem) in try await self.explain(name) },
            profiles: { () throws(Problem) in await self.profileStatuses(await self.tokens.survey()) },
            identities: { () throws(Problem) in await self.identities() },
            tokens: { () throws(Problem) in await self.tokens.survey().tokens.map(TokenListing.init) },
            unlock: { (uri, pin, isFromLogin) throws(Problem) in
                try await self.unlock(uri, pin, isFromLogin)
            },
            lock: { (uri) throws(Problem) in try await self.lock(uri) },
            reload: { () throws(Problem) in if let error = await self.reload() { throw Problem(error) } },
            status: { () throws(Problem) in await self.status() },
            certificates: certificateOperations(),
            keys: keyOperations(),
            noteRefusal: { [refusals] problem, name, peer in refusals.note(problem, of: name, to: peer) })
    }

    private func status() async -> Status {
        let survey = await tokens.survey()
        var status = Status()
        status.version = "\(Version.current)"
        status.pid = getpid()
        status.system = scope == .system
        status.uptimeSeconds = uptimeSeconds
        status.modules = survey.modules.map(ModuleStatus.init)
        status.tokens = survey.tokens.map(TokenListing.init)
        status.profiles = await profileStatuses(survey)
        status.notices =
            notices + survey.tokens.compactMap(\.missingPINNotice) + source.use.spareNotices + chainNotices
            + (await standInNotices)
            + (await tokens.registryNotices) + (await tokens.readerNotices)
        return status
    }

    /// The notices in the answer to `status`.
    private var notices: [String] {
        WorkerWalls.missing + lockNotices + allowNotices + [promptNotice, touchNotice].compactMap(\.self)
            + deadListeners.map {
                "a consumer's socket does not listen: \($0); correct it, then run 'tokenward reload'"
            } + endpointFailures
    }

    private var chainNotices: [String] {
        configuration.profiles.sorted { $0.key < $1.key }.compactMap { name, profile in
            profile.source.base.map {
                "profile \(name): AWS limits its sessions to one hour, because a session of \($0) assumes the role"
            }
        }
    }

    private var standInNotices: [String] {
        get async {
            var notices: [String] = []
            for name in configuration.profiles.keys.sorted() {
                guard let status = await cache.status(of: name), let standIn = status.standIn else { continue }
                let reason = status.lastError.map { ": \($0.detail)" } ?? ""
                notices.append("profile \(name): its fallback \(standIn) stands in\(reason)")
            }
            return notices
        }
    }

    /// In a user namespace such as that of PrivateUsers=, callers may be hidden whom a profile lists.
    private var allowNotices: [String] {
        let profiles = configuration.profiles.sorted { $0.key < $1.key }.map { ("profile \($0)", $1.allow) }
        let listeners = configuration.listeners.compactMap { listener in
            listener.allow.map { ("listener \(listener.name)", $0) }
        }
        return (profiles + listeners).compactMap { name, allow in
            let unseen = allow.unseen(users: .users, groups: .groups)
            guard !unseen.isEmpty else { return nil }
            return "\(name): the agent's user namespace hides \(unseen.joined(separator: ", ")) of 'allow', so "
                + "that they are refused: see PrivateUsers= in its unit"
        }
    }

    /// If every token gets its PIN from elsewhere, no person has to be asked.
    private var promptNotice: String? {
        let asks = configuration.tokens.isEmpty || configuration.tokens.contains { $0.pinSource == .prompt }
        return asks ? configuration.prompt.notice : nil
    }

    private var touchNotice: String? {
        guard configuration.prompt.notify, configuration.tokens.contains(where: \.touch) else { return nil }
        return tokens.desktop.failure.map { "nobody is told on the desktop that a token waits for a touch: \($0)" }
    }

    private func profileStatuses(_ survey: Survey) async -> [ProfileStatus] {
        let profiles = configuration.profiles
        let identities = await finder.overview(of: profiles.compactMapValues(\.identity), in: survey).identities
        var statuses: [ProfileStatus] = []
        for (name, profile) in profiles.sorted(by: { $0.key < $1.key }) {
            var status = ProfileStatus()
            status.name = "\(name)"
            status.source = profile.source.kind.rawValue
            status.roleARN = profile.source.roleARN.map { "\($0)" } ?? ""
            let session = await cache.status(of: name)
            if let identity = identities[name] {
                status.certificate = ProfileStatus.Certificate {
                    $0.uri = "\(identity.certificateURI ?? identity.key.uri)"
                    $0.serial = identity.certificate.serial.decimal
                    $0.notAfter = "\(UTCTime(secondsSince1970: identity.certificate.notAfter))"
                }
                status.nextGesture = ProfileStatus.NextGesture(
                    survey.tokens[identity.key.module], alwaysAuthenticates: identity.key.alwaysAuthenticates,
                    nextNeeded: session?.nextNeeded, at: clock.now())
            }
            if case .accessKey(let key) = profile.source {
                status.accessKey = ProfileStatus.AccessKey {
                    $0.id = key.id
                    $0.uri = "\(key.secretKey)"
                }
                if key.mfa != nil { status.nextGesture = .init(codeAt: session?.nextNeeded, at: clock.now()) }
                status.nextGesture =
                    status.nextGesture
                    ?? (try? SecretKeyFinder.token(of: key.secretKey, in: survey)).flatMap { token in
                        ProfileStatus.NextGesture(
                            token, alwaysAuthenticates: false, nextNeeded: session?.nextNeeded, at: clock.now())
                    }
            }
            status.sourceProfile = profile.source.base.map { "\($0)" }
            status.sessionCapSeconds = profile.source.base.map { _ in Int64(AssumeRole.longestSeconds) }
            status.standIn = session?.standIn.map { "\($0)" }
            status.sessionExpiry = session?.expiration.map { "\(UTCTime(secondsSince1970: $0))" }
            status.lastError = session?.lastError?.detail
            status.lastRefusals = refusals.log.withLock { $0.refusals(of: name) }
            statuses.append(status)
        }
        return statuses
    }

    private func identities() async -> [IdentityListing] {
        let overview = await finder.overview(
            of: configuration.profiles.compactMapValues(\.identity), in: await tokens.survey())
        var profiles: [PKCS11URI: [String]] = [:]
        for (name, identity) in overview.identities.sorted(by: { $0.key < $1.key }) {
            profiles[identity.certificateURI ?? identity.key.uri, default: []].append("\(name)")
        }
        return overview.candidates.map { candidate in
            IdentityListing(candidate, profiles: candidate.uri.flatMap { profiles[$0] } ?? [])
        }
    }

    private func explain(_ name: ProfileName) async throws(Problem) -> [ExplainedCandidate] {
        guard configuration.profiles[name] != nil else { throw .unknownProfile("\(name)") }
        let root = configuration.routes.root(of: name)
        let sourceProfile = root == name ? nil : "\(root)"
        guard let profile = configuration.profiles[root] else { return [] }
        if case .accessKey(let key) = profile.source {
            return try SecretKeyFinder.tokens(of: key.secretKey, in: await tokens.survey()).map { token, reasons in
                var explained = ExplainedCandidate(key, on: token, reasons)
                explained.sourceProfile = sourceProfile
                return explained
            }
        }
        guard let identity = profile.identity else { return [] }
        return try await finder.explain(identity).map { candidate in
            var explained = ExplainedCandidate(candidate)
            explained.sourceProfile = sourceProfile
            let issuer = candidate.certificate?.issuer.description ?? ""
            if profile.source.kind == .rolesAnywhere, IoTIssuer.isNamed(by: issuer) {
                explained.reasons.append(IoTIssuer.advice)
            }
            return explained
        }
    }

    private func unlock(_ text: String, _ pin: HeldPIN?, _ isFromLogin: Bool) async throws(Problem) {
        let moment = Locks.Moment()
        let found = try await matching(text)
        if found.count > 1, pin != nil {
            throw Problem(
                .badRequest, "\(found.count, .count) tokens match, and a PIN is for one token",
                hint: "name one of: " + found.map { "'\($0.uri)'" }.joined(separator: " "))
        }
        var problem: Problem?
        for token in found {
            do throws(Problem) {
                try await tokens.unlock(token, pin: pin, isFromLogin: isFromLogin, asOf: moment)
            } catch {
                problem = problem ?? error
            }
        }
        await cache.stateChanged()
        if let problem { throw problem }
    }
}

extension Problem {
    fileprivate init(_ error: ConfigurationError) {
        let faults = "\(error)".split(separator: "\n").joined(separator: "; and ")
        self.init(
            .configuration, "the configuration has a fault, so the old one stays in force: \(faults, .reason)",
            hint: "correct the files, then run 'tokenward reload' again")
    }
}

extension IssuedCredentials {
    fileprivate init(_ cached: CachedCredentials) {
        self.init(
            json: cached.body, endpointJSON: cached.endpointBody, accessKeyID: cached.accessKeyID,
            expiration: cached.expiration, profiles: cached.profiles)
    }
}
