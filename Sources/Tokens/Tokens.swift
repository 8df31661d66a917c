package import AgentAPI
package import Clocks
import Files
import Glibc
package import Logging
package import Logind
package import ModuleFiles
package import PKCS11URI
package import Prompts
import Synchronization
import SystemPackage
package import TokenService

/// Every token that the agent can reach, and who may be logged in to it.
///
/// The PINs are not here: a typed one passes through to a worker, a stored one is read there.
package actor Tokens {
    private let executor = TokensExecutor()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.unownedExecutor }

    let clock: AgentClock
    let log: Logger
    let setting: Setting
    var rules: [TokenRule]

    private(set) var hosts: [ModuleHost] = []
    /// Hosts that a reload has left out, until their logins have ended.
    private var leaving: [ModuleHost] = []
    /// Modules that are registered or configured and have no host, and why.
    private(set) var unusable: [UnusableModule] = []
    /// The modules that the configuration in force names; none for those that p11-kit has registered.
    private var configured: [ModuleConfiguration]
    private var registered = RegisteredModules()
    /// When p11-kit was asked last, in milliseconds of boot time.
    private var registeredAt: Int64 = 0
    /// How long a failure of p11-kit stands before it is asked again, in milliseconds.
    private static let registryPause: Int64 = 30_000
    /// The last change of `hosts`, which those after it wait for.
    private var arrangement: Task<Void, Never>?
    /// There was one: until there is another, `hosts` are those of a configuration that was in force.
    private var isArranged = false
    /// No worker is started any more.
    private var isStopped = false

    /// Decides about logins, locks and what a PIN may cost. Its locks change in `changeLocks` alone.
    var ledger: TokenLedger
    /// The ledger's locks, for callers that ask at each request.
    nonisolated private let published: Mutex<Locks>
    private let lockFile: RuntimeFile
    /// What is in it.
    private var keptLocks: LockSet
    private let triesFile: RuntimeFile
    /// The logins under way.
    var logins: [TokenKey: RunningLogin] = [:]
    /// The ends of logins whose time is over, for all who find that it is.
    var endings: [TokenKey: Task<Void, Never>] = [:]
    var calls = OpenCalls()
    /// The keepers that run, by their calls, and the tokens that management commands are at work on.
    var keepers: [UInt64: (key: TokenKey, keeper: KeeperHost)] = [:]
    var managed: Set<TokenDescription> = []

    var sightings = Sightings()
    /// Modules that `poll` is looking at.
    var polled: Set<ModuleIdentity> = []
    /// Says that a survey has found other tokens, objects or logins than the one before it.
    package nonisolated let changes: AsyncStream<Void>
    let changed: AsyncStream<Void>.Continuation
    /// Tokens that are no longer there.
    package nonisolated let removals: AsyncStream<Set<TokenKey>>
    let removal: AsyncStream<Set<TokenKey>>.Continuation
    let readers: CardReaders
    private let abandonedCards = AbandonedCards()
    /// When pcscd was last seen to come back, in milliseconds of boot time.
    var pcscdReturned: Int64?
    var sleepGauge: SleepGauge
    /// The work after a sleep, which callers that want to use a module wait for.
    var waking: Task<Void, Never>?

    package nonisolated let prompts: Prompts
    /// The user's home folder; nil for the system agent.
    package nonisolated var home: String? { setting.home }
    package nonisolated let desktop: Desktop
    /// The signatures under way, and whether a task waits to tell people of slow ones.
    var watched: [UInt64: WatchedSignature] = [:]
    var isTelling = false

    /// A login under way.
    struct RunningLogin {
        let call: OpenCalls.Call
        let task: Task<Result<Void, LoginFailure>, Never>
        /// It is a keeper's, and logs in no worker.
        let isOfKeeper: Bool
    }

    /// What a configuration says of tokens.
    package struct Configuration: Sendable {
        /// Empty: every module that p11-kit has registered, p11-kit-trust apart.
        package var modules: [ModuleConfiguration]
        /// PIN rules, in order: the first whose URI matches a token wins.
        package var rules: [TokenRule]
        package var prompt: PromptSettings

        package init(modules: [ModuleConfiguration], rules: [TokenRule], prompt: PromptSettings) {
            self.modules = modules
            self.rules = rules
            self.prompt = prompt
        }
    }

    /// Where things are.
    package struct Setting: Sendable {
        /// The path of `tokenward-worker`.
        package var workerExecutable: String
        /// The path of `tokenward-keeper`.
        package var keeperExecutable: String
        /// The path of `tokenward-card-watcher`.
        package var watcherExecutable: String
        /// What the names of the files begin with that must outlive a restart: the socket's path, or one in a folder in
        /// memory that is the agent's own.
        package var runtimeFiles: String
        /// `$CREDENTIALS_DIRECTORY`, where systemd gave one.
        package var credentialsFolder: String?
        /// The user's home folder, for p11-kit's configuration; nil for the system agent.
        package var home: String?
        /// `$XDG_CONFIG_HOME`, for the same.
        package var configHome: String?
        /// The agent's folders: its home, its configuration and its socket. No module changes them.
        package var ownFolders: [String]
        /// The address of the session's message bus.
        package var sessionBus: String?
        /// The programs that are started for modules and prompts.
        var workers = WorkerStart.processes
        var pinentry: @Sendable () -> any Pinentry = { PinentryProcess() }

        package init(
            workerExecutable: String, keeperExecutable: String, watcherExecutable: String, runtimeFiles: String,
            credentialsFolder: String? = nil, home: String? = nil, configHome: String? = nil, ownFolders: [String] = [],
            sessionBus: String? = nil
        ) {
            self.sessionBus = sessionBus
            self.workerExecutable = workerExecutable
            self.keeperExecutable = keeperExecutable
            self.watcherExecutable = watcherExecutable
            self.runtimeFiles = runtimeFiles
            self.credentialsFolder = credentialsFolder
            self.home = home
            self.configHome = configHome
            self.ownFolders = ownFolders
        }
    }

    package init(_ configuration: Configuration, setting: Setting, clock: AgentClock, log: Logger) {
        self.clock = clock
        self.log = log
        self.setting = setting
        rules = configuration.rules
        configured = configuration.modules
        lockFile = RuntimeFile(path: "\(setting.runtimeFiles).locked")
        keptLocks = LockSet(lockFile.read())
        triesFile = RuntimeFile(path: "\(setting.runtimeFiles).refused-pins")
        ledger = TokenLedger(locks: keptLocks, tries: PINTries.Record(triesFile.read()))
        published = Mutex(ledger.locks)
        (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (removals, removal) = AsyncStream.makeStream()
        readers = CardReaders(
            executable: setting.watcherExecutable, starting: setting.workers, abandonedCards: abandonedCards,
            clock: clock, log: log)
        sleepGauge = SleepGauge(clock)
        prompts = Prompts(
            settings: configuration.prompt, home: setting.home, pinentry: setting.pinentry, clock: clock, log: log)
        desktop = Desktop(address: setting.sessionBus)
    }

    /// Takes a new configuration: modules that did not change keep their worker and its logins.
    package func replace(with configuration: Configuration) async {
        rules = configuration.rules
        await prompts.replace(configuration.prompt)
        await arrange(configuration.modules)
        for host in hosts { await host.lookAnew() }
        ledger.forgetRefusals()
    }

    /// Logs out everywhere and ends the workers.
    package func stop() async {
        isStopped = true
        changed.finish()
        removal.finish()
        await readers.stop()
        await prompts.end()
        await endKeepers()
        await Self.each(hosts) { await $0.stop() }
    }

    func host(of key: TokenKey) -> ModuleHost? { hosts.first { $0.identity == key.module } }

    /// Does this with all of them at the same time.
    private static func each(
        _ hosts: [ModuleHost], _ body: @escaping @Sendable (ModuleHost) async -> Void
    ) async {
        await withTaskGroup { group in
            for host in hosts { group.addTask { await body(host) } }
        }
    }

    // MARK: Locks

    /// The locks that are in force.
    package nonisolated var locks: Locks { published.withLock(\.self) }

    /// Changes the locks. From here on no login and no signature reaches a token that is locked now and was not; its login
    /// ends with `endLogins`. The locks of people are written down.
    package func changeLocks<Result: Sendable>(_ change: @Sendable (inout Locks) -> Result) -> Result {
        let before = ledger.locks
        let result = ledger.changeLocks(change)
        published.withLock { $0 = ledger.locks }
        calls.revoke { ledger.isLocked($0) && !before.contains($0) }
        try? keepLocks()  // `lock` tries once more, and tells; after an unlock, the next agent locks too much
        return result
    }

    /// Writes the locks of people, for the agent that is started after this one, unless they are written.
    ///
    /// - Throws: `.lockNotKept` where the file cannot be changed. The tokens stay locked while this agent lives.
    package func keepLocks() throws(Problem) {
        let locks = ledger.locks.lasting
        guard locks != keptLocks else { return }
        do throws(Errno) {
            try lockFile.keep(locks.bytes)
            keptLocks = locks
        } catch {
            throw Problem(
                .lockNotKept,
                "locked until the agent ends, and not over its restart: \(lockFile.path, .path): \(error, .reason)",
                hint: "see that the agent's user can write beside its socket, and lock again")
        }
    }

    /// Writes which PINs may have cost tokens a try, where that has changed: before a PIN is sent, and after its answer.
    func keepTries() {
        guard let tries = ledger.takeUnsavedTries() else { return }
        do throws(Errno) {
            try triesFile.keep(tries.bytes)
        } catch {
            ledger.noteUnsavedTries()  // the next change of any token writes them
            log.warning(
                "refused PINs are not written, so a restart forgets them", metadata: ["file": "\(triesFile.path)"])
        }
    }

    /// The tokens that the URI matches and that are known without a word to any module: a person may lock them because a
    /// module is in an outage, or hangs.
    ///
    /// - Parameter used: Tokens that sessions were signed on, whether they are still there or not.
    package func known(matching uri: PKCS11URI, used: Set<TokenKey>) -> Set<TokenKey> {
        let present = sightings.present
        return used.union(present.keys).union(ledger.keys).filter { key in
            let host = host(of: key) ?? hosts.first { $0.path == key.module.path }  // a file has no settings
            let module = ModuleDescription(name: host?.configuration.name, path: key.module.path)
            return uri.matches(present[key] ?? LocatedToken(key.token, module: module))
        }
    }

    /// Ends the prompts and logins of tokens that are locked.
    package func endLogins(of keys: Set<TokenKey>) async {
        for key in keys { _ = await prompts.supply(.declined(.cancelled), for: key) }
        // A token that no look has shown since a reload may be logged in all the same; its worker finds the slot.
        let present = sightings.present
        async let left: Void = Self.each(leaving) { await $0.stop() }
        await endKeepers(of: keys)
        await withTaskGroup { group in
            for key in keys { group.addTask { await self.logOut(key, slotID: present[key]?.slotID ?? 0) } }
        }
        await left
    }

    /// Ends every login, every prompt and every worker, and with them all PINs.
    ///
    /// Ended, not only asked: a login that the worker does not know of any more would outlive the asking.
    package func endLogins() async {
        ledger.forgetAllTyped()
        await prompts.cancelAll()
        await endKeepers()
        await Self.each(hosts + leaving) { await $0.restart() }
    }

    /// Forgets the PINs that were typed for tokens that are gone, and ends their workers: a module may keep the PIN, and take
    /// the next card in the slot for the last one.
    package func forget(removed: Set<TokenKey>) async {
        await endKeepers(of: removed)
        for key in removed {
            ledger.forgetTyped(key)
            await host(of: key)?.forget(removed: key.token)
        }
    }

    // MARK: Which modules there are

    /// Waits for the modules of the configuration that the agent began with: a registered one is known from p11-kit, which
    /// is asked in a process of its own. A reload is not waited for. Where p11-kit has not answered it is asked again, for
    /// the survey after this one.
    func modulesFound() async {
        guard isArranged else {
            if let arrangement { await arrangement.value } else { await arrange(configured) }
            return
        }
        guard registered.failure != nil, clock.boot() - registeredAt > Self.registryPause else { return }
        registeredAt = clock.boot()
        Task { await arrange(configured) }  // the next arrangement waits for it, if there is one
    }

    /// Puts these modules in the place of those before, after what is under way.
    private func arrange(_ modules: [ModuleConfiguration]) async {
        configured = modules
        let before = arrangement
        let task = Task {  // awaited below
            await before?.value
            await place(modules)
        }
        arrangement = task
        await task.value
    }

    private func place(_ modules: [ModuleConfiguration]) async {
        if modules.contains(where: \.isRegistered) || modules.isEmpty {
            let answer = await setting.registeredModules(clock: clock, log: log)
            registeredAt = clock.boot()
            registered.note(answer)
            if case .failure(let failure) = answer {
                log.warning("p11-kit", metadata: ["why": "\(failure.reason)"])
            }
        } else {
            registered = RegisteredModules()
        }
        var failures = modules.isEmpty ? [registered.unusable].compactMap(\.self) : []
        var found: [(module: ModuleConfiguration, path: String, file: ModuleFile.Identity)] = []
        for module in modules.isEmpty ? registered.configurations : modules {
            switch registered.found(module) {
            case .failure(let failure): failures.append(failure)
            case .success(let (module, path)):
                found.append((module, path, await setting.workers.identity(module.identity(at: path))))
            }
        }
        guard !isStopped else { return }
        isArranged = true
        unusable = failures
        let before = hosts
        hosts = []
        var paths: [ModuleFile.Identity: String] = [:]
        for (module, path, file) in found {
            if let first = paths[file] {
                log.notice("a module is configured twice", metadata: ["module": "\(path)", "first": "\(first)"])
                continue
            }
            paths[file] = path
            hosts.append(before.first { $0.configuration == module && $0.path == path } ?? host(of: module, path))
        }
        leaving = before.filter { host in !hosts.contains { $0 === host } }
        forgetTokens(of: leaving)
        await Self.each(leaving) { await $0.stop() }
        leaving = []
    }

    /// Forgets the tokens that these hosts have shown, and the PINs that were typed for them. The tokens of a module that is
    /// configured no longer are gone with it. What keeps a wrong PIN from being sent again stays.
    private func forgetTokens(of ended: [ModuleHost]) {
        let identities = Set(ended.map(\.identity))
        for identity in identities { sightings.beginAnew(identity) }
        for key in ledger.keys where identities.contains(key.module) { ledger.forgetTyped(key) }
        let configured = Set(hosts.map(\.identity))
        ledger.forgetTokens(outside: configured)
        let removed = sightings.keep(only: configured)
        if !removed.isEmpty { removal.yield(removed) }
    }

    private func host(of module: ModuleConfiguration, _ path: String) -> ModuleHost {
        ModuleHost(
            WorkerLaunch(
                configuration: module, path: path, executable: setting.workerExecutable, home: setting.home,
                ownFolders: setting.ownFolders, abandonedCards: abandonedCards, start: setting.workers, clock: clock,
                log: log), on: executor)
    }

    /// Starts the workers of the modules that the configuration names, and has them list their tokens, before anything is
    /// asked of them: nothing logs in for that. Those that p11-kit has registered may be many, and start with the first
    /// question.
    ///
    /// - Returns: What they show; nil where the configuration names none.
    package func surveyConfigured() async -> Survey? { configured.isEmpty ? nil : await survey() }

    /// What `status` says where p11-kit chooses the modules.
    package var registryNotices: [String] { configured.isEmpty ? registered.notices : [] }
}
