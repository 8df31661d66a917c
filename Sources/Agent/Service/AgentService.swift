import AgentAPI
package import Clocks
import Files
import Glibc
import HTTPTransport
package import Logging
import Logind
import PKCS11URI
import ServiceAnswers
import SignatureSchemes
import Synchronization
import TokenService
package import Tokens

/// The agent: configuration, tokens, sessions and the socket, put together.
package actor AgentService {
    let tokens: Tokens
    let source: ProfileSources
    let cache: CredentialCache
    let finder: IdentityFinder
    let clock: AgentClock
    let scope: AgentScope
    let log: Logger
    let sessionWatch: SessionWatch
    private(set) var configuration: Configuration
    private(set) var server: AgentServer?
    private let startedAt: Int64
    private let audit: @Sendable (AuditRecord) -> Void
    let refusals: LastRefusals
    private var background: [Task<Void, Never>] = []
    private let readConfiguration: @Sendable () throws(ConfigurationError) -> Configuration
    private let notifier: ServiceNotifier
    /// Why consumers' sockets do not listen since the last reload.
    private(set) var deadListeners: [String] = []
    /// Why endpoints do not listen for now, or their token files are not as they should be.
    private(set) var endpointFailures: [String] = []
    /// The last reload, which those after it wait for.
    private var reloading: Task<ConfigurationError?, Never>?
    private var isStopping = false

    /// Where the agent's own things are.
    package struct Setting: Sendable {
        package var scope: AgentScope
        package var tokens: Tokens.Setting
        /// The address of the system's message bus, where it is not the usual one.
        package var systemBus: String?

        package init(scope: AgentScope, tokens: Tokens.Setting, systemBus: String? = nil) {
            self.scope = scope
            self.tokens = tokens
            self.systemBus = systemBus
        }
    }

    /// - Parameters:
    ///   - readConfiguration: Reads the configuration for a reload. It may wait for files and for directories of users.
    ///   - notifier: Told of each reload.
    ///   - audit: Called on the server's event loop for each decision, so it must not wait.
    package init(
        _ configuration: Configuration, setting: Setting, clock: AgentClock = .system, log: Logger,
        readConfiguration: @escaping @Sendable () throws(ConfigurationError) -> Configuration,
        notifier: ServiceNotifier, audit: @escaping @Sendable (AuditRecord) -> Void
    ) {
        self.readConfiguration = readConfiguration
        self.notifier = notifier
        self.configuration = configuration
        self.audit = audit
        refusals = LastRefusals(of: Set(configuration.profiles.keys), clock: clock)
        self.clock = clock
        self.log = log
        scope = setting.scope
        sessionWatch = SessionWatch(
            address: setting.systemBus, uid: geteuid(), log: { log.notice("sessions", metadata: ["logind": "\($0)"]) })
        startedAt = clock.boot()
        tokens = Tokens(configuration.ofTokens, setting: setting.tokens, clock: clock, log: log)
        source = ProfileSources(configuration, tokens: tokens, clock: clock, log: log)
        finder = IdentityFinder(tokens: tokens, clock: clock)
        cache = CredentialCache(
            profiles: Set(configuration.profiles.keys), routes: configuration.routes, source: source,
            settings: CacheSettings(
                clock: clock, render: CredentialDocument.render,
                renderForEndpoint: CredentialDocument.renderForEndpoint,
                noteStandIn: { profile, standIn in
                    log.notice(
                        standIn == nil ? "the profile's own sessions are to be had again" : "a fallback stands in",
                        metadata: ["profile": "\(profile)"].merging(standIn.map { ["fallback": "\($0)"] } ?? [:]) { $1 }
                    )
                }))
    }

    /// Listens and serves until `stop`.
    ///
    /// - Throws: `ListenerError`.
    package func start(on listener: SocketListener) async throws {
        warmUp()
        let server = AgentServer(
            listener: listener, policy: policy(), consumers: configuration.listeners, operations: operations(),
            isWorker: { number in WorkerNumbers.own.withLock { $0.contains(number, at: .now) } }, audit: audit,
            warn: { [log] in log.warning("\($0)") }, boot: clock.boot)
        try await server.start()
        self.server = server
        await tendEndpoints()
        // All end in `stop`, which awaits them.
        background = [
            Task { await cache.run() },
            Task { await watchTokens() },
            Task { await watchEndpoints() },
            Task { await tokens.followReaders() },
            Task { await tokens.resetAbandonedCards() },
            Task {
                for await _ in tokens.changes {
                    source.use.forgetGestures()
                    await cache.stateChanged()
                }
            },
            Task { for await removed in tokens.removals { await forget(removed) } },
            Task { for await event in sessionWatch.events { await follow(event) } },
            Task { await ServiceWatchdog(notifier: notifier, clock: clock, answers: answers).run() },
        ]
        watchSessions()
    }

    /// Does what the first credential would otherwise wait for: starts and lists the configured modules, makes libcurl's
    /// tables, and chooses and verifies with each profile's certificate, which makes libcrypto's. No task waits for it.
    private func warmUp() {
        let (tokens, finder, selectors) = (tokens, finder, configuration.profiles.compactMapValues(\.identity))
        Task { await onOwnThread { HTTPConnection.prepare() } }
        Task {  // ends with the deadlines of the calls
            guard let survey = await tokens.surveyConfigured() else { return }
            for identity in await finder.overview(of: selectors, in: survey).identities.values {
                for algorithm in [SignatureScheme.Algorithm.ecdsa, .rsaPKCS1] {
                    _ = identity.certificate.verifies(signature: [], message: [], scheme: .init(algorithm, .sha256))
                }
            }
        }
    }

    /// Looks at the tokens while a profile waits for one to come or to change, or while a token with a login or a session
    /// may be removed: every two seconds then, and not at all otherwise, as a look costs a slow token some work. Cards have
    /// events, and are not looked for. `Tokens` reports the changes that a look finds.
    private func watchTokens() async {
        while (try? await clock.sleep(2000)) != nil {  // an error means cancelled
            await tokens.poll(isWaitedFor: await cache.waitsForTokens, used: heldTokens)
        }
    }

    /// Looks after the endpoints every two seconds, where there are any.
    private func watchEndpoints() async {
        while (try? await clock.sleep(2000)) != nil { await tendEndpoints() }  // an error means cancelled
    }

    private func tendEndpoints() async {
        let hasEndpoints = configuration.listeners.contains { $0.tokenFile != nil }
        let failures = hasEndpoints ? await server?.tendEndpoints() ?? [] : []
        for failure in failures where !endpointFailures.contains(failure) { log.error("\(failure)") }
        endpointFailures = failures
    }

    /// The tokens whose sessions are held for some profile, as they are or as those that were made of them.
    private var heldTokens: Set<TokenKey> {
        let routes = configuration.routes
        return source.use.tokens { routes.withDependents([$0]).contains(where: cache.published.holds) }
    }

    /// Reads the configuration again, one reload after the other. A configuration with a fault changes nothing.
    ///
    /// - Returns: The faults, which the log has as well.
    @discardableResult package func reload() async -> ConfigurationError? {
        guard !isStopping else { return nil }
        let reload = Task { [reloading] in  // awaited below, and by `stop`
            _ = await reloading?.value
            notifier.notify(.reloading)
            defer { notifier.notify(.ready) }
            return await readAgain()
        }
        reloading = reload
        return await reload.value
    }

    private func readAgain() async -> ConfigurationError? {
        // A lock does not wait for what is slow to read, not where one processor is all there is.
        do throws(ConfigurationError) {
            await take(try await onOwnThread(readConfiguration))
            log.notice("configuration read again")
            return nil
        } catch {
            for fault in error.faults.prefix(20) { log.error("\(fault)") }
            log.error("the configuration has faults, so the old one stays in force")
            return error
        }
    }

    /// Takes a new configuration. Unchanged modules, tokens and profiles keep their workers, logins and sessions; a key
    /// or a profile that lost its permission loses it at once.
    private func take(_ new: Configuration) async {
        let changed = new.changedProfiles(from: configuration)
        configuration = new
        await server?.replace(policy: policy(), consumers: new.listeners)
        await tokens.replace(with: new.ofTokens)
        Task { _ = await tokens.surveyConfigured() }  // ends with the deadlines of the calls; no task waits for it
        source.replace(new)
        refusals.log.withLock { $0.keep(Set(new.profiles.keys)) }
        await cache.replace(Set(new.profiles.keys), routes: new.routes, changed: changed)
        watchSessions()
        for event in LockEvent.allCases where !lockOn.contains(event) { await end(event) }
        // Last, as it may wait for files.
        deadListeners = await server?.openConsumers() ?? []
        for failure in deadListeners { log.error("a consumer's socket does not listen: \(failure)") }
        await tendEndpoints()
    }

    /// Takes no more requests, logs out everywhere, ends the workers, and leaves nothing behind.
    package func stop() async {
        isStopping = true
        await tokens.prompts.end()  // the server waits for those who wait for a person
        await server?.stop()
        _ = await reloading?.value
        sessionWatch.stop()
        await cache.stop()
        for task in background { task.cancel() }
        await tokens.stop()
        for task in background { await task.value }
    }

    var uptimeSeconds: Int64 { (clock.boot() - startedAt) / 1000 }

    private func policy() -> Policy {
        Policy(
            agentUID: AccountDirectory.system.ownUser, scope: scope,
            profiles: configuration.profiles.mapValues(\.allow))
    }
}

extension CredentialDocument {
    @Sendable fileprivate static func render(_ session: SessionCredentials) -> [UInt8] {
        render(
            accessKeyID: session.accessKeyID, secretAccessKey: session.secretAccessKey,
            sessionToken: session.sessionToken, expiration: session.expiration, accountID: session.accountID)
    }

    @Sendable fileprivate static func renderForEndpoint(_ session: SessionCredentials) -> [UInt8] {
        renderForEndpoint(
            accessKeyID: session.accessKeyID, secretAccessKey: session.secretAccessKey,
            sessionToken: session.sessionToken, expiration: session.expiration, accountID: session.accountID)
    }
}
