package import AgentAPI
package import Clocks
import Files
import Glibc
package import Logging
package import Logind
package import ModuleFiles
import PKCS11URI
package import Prompts
import Synchronization
import SystemPackage
package import TokenService

/// Every token that the agent can reach, and who may be logged in to it.
///
/// The PINs are not here: a typed one passes through to a worker, a stored one is read there.
package actor Tokens {
    let clock: AgentClock
    let log: Logger
    var rules: [TokenRule]
    var hosts: [ModuleHost] = []
    /// Modules that are registered or configured and have no host, and why.
    var unusable: [UnusableModule] = []
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
    /// Decides about logins, locks and what a PIN may cost.
    var ledger: TokenLedger {
        didSet { published.withLock { $0 = ledger.locks } }
    }
    /// The ledger's locks, for those who ask at each request.
    nonisolated private let published: Mutex<Locks>
    /// The logins under way.
    var logins: [TokenKey: RunningLogin] = [:]
    var permits = CallPermits()
    /// The ends of logins whose time is over, for all who find that it is.
    var endings: [TokenKey: Task<Void, Never>] = [:]
    private var lockFile: LockFile
    let refusedPINs: RefusedPINs
    /// Says that a survey has found other tokens, objects or logins than the one before it.
    package nonisolated let changes: AsyncStream<Void>
    let changed: AsyncStream<Void>.Continuation
    var sightings = Sightings()
    /// Where the tokens were found last, and by which module.
    var locations: [TokenKey: LocatedToken] = [:]
    /// Modules that `poll` is looking at.
    var polled: Set<ModuleIdentity> = []
    /// Tokens that are no longer there, with the slots that they were in.
    package nonisolated let removals: AsyncStream<[TokenKey: UInt64]>
    let removal: AsyncStream<[TokenKey: UInt64]>.Continuation
    let readers: CardReaders
    /// When pcscd was last seen to come back, in milliseconds of boot time.
    var pcscdReturned: Int64?
    var sleepGauge: SleepGauge
    /// What is done after a sleep, for whoever wants to use a module.
    var waking: Task<Void, Never>?
    package nonisolated let prompts: Prompts
    package nonisolated let desktop: Desktop
    var awaited = AwaitedGestures()
    /// The signatures under way that people have not been told of, and whether a task waits to tell them.
    var untold: [UInt64: Untold] = [:]
    var isTelling = false
    /// What the desktop shows of signatures that wait.
    var shown: [UInt64: Task<Void, Never>] = [:]
    let setting: Setting
    private let abandonedCards: AbandonedCards

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
        /// How workers and pinentry are started.
        var workers = WorkerStart.processes
        var pinentry: @Sendable () -> any Pinentry = { PinentryProcess() }

        package init(
            workerExecutable: String, watcherExecutable: String, runtimeFiles: String,
            credentialsFolder: String? = nil, home: String? = nil, configHome: String? = nil, ownFolders: [String] = [],
            sessionBus: String? = nil
        ) {
            self.sessionBus = sessionBus
            self.workerExecutable = workerExecutable
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
        sleepGauge = SleepGauge(clock)
        self.log = log
        self.setting = setting
        rules = configuration.rules
        abandonedCards = AbandonedCards()
        readers = CardReaders(
            executable: setting.watcherExecutable, starting: setting.workers, abandonedCards: abandonedCards,
            clock: clock, log: log)
        prompts = Prompts(
            settings: configuration.prompt, home: setting.home, pinentry: setting.pinentry, clock: clock, log: log)
        desktop = Desktop(address: setting.sessionBus)
        (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (removals, removal) = AsyncStream.makeStream()
        refusedPINs = RefusedPINs(file: RuntimeFile(path: "\(setting.runtimeFiles).refused-pins"))
        lockFile = LockFile(path: "\(setting.runtimeFiles).locked")
        ledger = TokenLedger(locks: lockFile.locks, tries: refusedPINs.load())
        published = Mutex(ledger.locks)
        configured = configuration.modules
    }

    /// Takes a new configuration: modules that did not change keep their worker and its logins.
    package func replace(with configuration: Configuration) async {
        rules = configuration.rules
        await prompts.replace(configuration.prompt)
        await arrange(configuration.modules)
        for host in hosts { await host.lookAnew() }
        ledger.forgetRefusals()
    }

    /// Writes what people have locked, for the agent that is started after this one, unless it is written.
    ///
    /// - Throws: `.lockNotKept` where the file cannot be changed. What is locked stays so while this agent lives.
    package func keepLocks() throws(Problem) {
        do throws(Errno) {
            try lockFile.write(ledger.lastingLocks)
        } catch {
            throw Problem(
                .lockNotKept,
                "locked until the agent ends, and not over its restart: \(lockFile.file.path, .path): \(error, .reason)",
                hint: "see that the agent's user can write beside its socket, and lock again")
        }
    }

    /// Logs out everywhere and ends the workers.
    package func stop() async {
        changed.finish()
        removal.finish()
        await readers.stop()
        await prompts.end()
        await withTaskGroup { group in
            for host in hosts { group.addTask { await host.stop() } }
        }
    }

    /// What is locked now.
    package nonisolated var locks: Locks { published.withLock(\.self) }

    func host(of key: TokenKey) -> ModuleHost? { hosts.first { $0.identity == key.module } }

    /// What a PIN file or a systemd credential is called, for the worker that reads it.
    func loginSource(for source: TokenRule.PINSource) -> LoginRequest.Source? {
        switch source {
        case .prompt: nil
        case .file(let path): .file(path: path)
        case .credential(let name): .credential(path: "\(setting.credentialsFolder ?? "/nonexistent")/\(name)")
        case .protected: .protected
        }
    }

    /// Why a stored PIN cannot be read, and where it should be.
    func explain(_ reason: String, of source: TokenRule.PINSource) -> String {
        switch source {
        case .file(let path): "\(path): \(reason)"
        case .credential(let name) where setting.credentialsFolder == nil:
            "credential \(name): systemd has passed none; add LoadCredential=\(name): to the agent's unit"
        case .credential(let name): "credential \(name): \(reason)"
        case .prompt, .protected: reason
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
        Task { await arrange(configured) }  // the next arrangement, or nobody, waits for it
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
            let registry = ModuleRegistry(
                start: setting.workers, executable: setting.workerExecutable, home: setting.home,
                configHome: setting.configHome)
            let output = WorkerOutput(module: "p11-kit", log: log)
            let answer = await registry.ask(clock: clock) { output.note($0) }
            registeredAt = clock.boot()
            registered.note(answer)
            if case .failure(let failure) = answer {
                log.warning("p11-kit", metadata: ["trouble": "\(failure.reason)"])
            }
        } else {
            registered = RegisteredModules()
        }
        let found = (modules.isEmpty ? registered.configurations : modules).map(registered.found)
        var files: [ModuleFile.Identity?] = []
        for module in found {
            guard case .success(let (module, path)) = module else { files.append(nil); continue }
            files.append(await setting.workers.identity(module, path))
        }
        isArranged = true
        let before = hosts
        hosts = []
        var paths: [ModuleFile.Identity: String] = [:]
        unusable = modules.isEmpty ? [registered.unusable].compactMap(\.self) : []
        for (module, file) in zip(found, files) {
            switch module {
            case .failure(let module): unusable.append(module)
            case .success(let (module, path)):
                guard let file else { continue }  // there is one for each success
                if let first = paths.updateValue(path, forKey: file) {
                    paths[file] = first
                    log.notice("a module is configured twice", metadata: ["module": "\(path)", "first": "\(first)"])
                    continue
                }
                hosts.append(
                    before.first { $0.configuration == module && $0.path == path } ?? host(of: module, path))
            }
        }
        let ended = before.filter { host in !hosts.contains { $0 === host } }
        forget(ended)
        for host in ended { await host.stop() }
    }

    private func host(of module: ModuleConfiguration, _ path: String) -> ModuleHost {
        let launch = WorkerLaunch(
            executable: setting.workerExecutable, deadlines: CallDeadlines(module.timeouts), home: setting.home,
            ownFolders: setting.ownFolders, abandonedCards: abandonedCards, start: setting.workers)
        return ModuleHost(configuration: module, path: path, launch: launch, clock: clock, log: log)
    }

    /// What `status` says where p11-kit chooses the modules.
    package var registryNotices: [String] { configured.isEmpty ? registered.notices : [] }
}
