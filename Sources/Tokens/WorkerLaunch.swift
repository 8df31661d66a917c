import Clocks
import Files
import Logging
import ModuleFiles
import TokenService

/// A module, and what its workers are made of.
struct WorkerLaunch: Sendable {
    let configuration: ModuleConfiguration
    /// Where its library is.
    let path: String
    let executable: String
    /// The user's home folder; nil for the system agent.
    let home: String?
    /// The agent's folders, which no module changes.
    let ownFolders: [String]
    /// Where the cards go that a worker leaves logged in.
    let abandonedCards: AbandonedCards
    let start: WorkerStart
    let clock: AgentClock
    let log: Logger

    var deadlines: CallDeadlines { CallDeadlines(configuration.timeouts) }

    func worker() throws(WorkerLoss) -> any WorkerConnection {
        let output = WorkerOutput(module: path, log: log)
        return try start.start(
            WorkerStart.Program(
                executable: executable, environment: configuration.environment, abandonedCards: abandonedCards,
                output: { output.note($0) }))
    }

    /// The same for another program.
    func running(_ executable: String) -> WorkerLaunch {
        WorkerLaunch(
            configuration: configuration, path: path, executable: executable, home: home, ownFolders: ownFolders,
            abandonedCards: abandonedCards, start: start, clock: clock, log: log)
    }

    /// The first request of each, once the folders that the module may change have been looked at.
    ///
    /// - Throws: `.unavailable` where that takes longer than a module may take to be loaded.
    func load() async throws(ModuleFailure) -> Request {
        let load = await start.look { [configuration, path, home, ownFolders] in
            Request.load(configuration.load(library: path, home: home, own: ownFolders))
        }
        guard let load else { throw .unavailable("a folder that its settings name is on a file system that hangs") }
        return load
    }
}

/// How long each call may take once it has begun, in milliseconds. What waits for its turn is not counted.
struct CallDeadlines: Sendable {
    /// The look at the library's file is counted.
    let load: Int64 = 15_000
    let list: Int64
    let logIn: Int64
    let sign: Int64
    /// What a person confirms on the token.
    let touch: Int64
    /// What a person types on the reader's keypad: twice the time of a touch.
    let keypad: Int64
    /// What makes or changes objects: some cards compute an RSA key for a minute and more.
    let management: Int64 = 180_000
    /// After this, the worker is ended: that logs out as well, and a lock is to be done within a second.
    let logOut: Int64 = 600

    init(_ timeouts: ModuleConfiguration.Timeouts) {
        list = Int64(timeouts.list) * 1000
        logIn = Int64(timeouts.login) * 1000
        sign = Int64(timeouts.sign) * 1000
        touch = Int64(timeouts.touch) * 1000
        keypad = 2 * touch
    }
}

/// How programs are started, and files are looked at for them: tests have their own ways.
struct WorkerStart: Sendable {
    /// What makes two modules one, whatever their paths.
    var identity: @Sendable (ModuleIdentity) async -> ModuleFile.Identity
    /// The state of the file that a stored PIN is in; nil where it cannot be looked at.
    var stamp: @Sendable (LoginRequest.Source) async -> StoredPINStamp?
    /// Looks at the folders that a module's settings name, which may hang; nil where that takes too long.
    var look: @Sendable (@escaping @Sendable () -> Request) async -> Request?
    /// Starts a program with exactly this environment. It says which cards it leaves logged in, and what it prints.
    var start: @Sendable (Program) throws(WorkerLoss) -> any WorkerConnection

    struct Program: Sendable {
        var executable: String
        var environment: [String: String]
        /// Gets the cards that the process leaves logged in.
        var abandonedCards: AbandonedCards?
        /// Called with what it writes to its standard output and error, on a thread of its own.
        var output: @Sendable ([UInt8]) -> Void
    }

    static let processes = WorkerStart(
        identity: { module in
            await onOwnThread(within: .seconds(2)) { ModuleFile.Identity(module) }
                ?? ModuleFile.Identity(unseen: module)
        },
        stamp: { source in await onOwnThread(within: .seconds(2)) { StoredPINStamp(source) } ?? nil },
        look: { body in await onOwnThread(within: .seconds(15), body) },
        start: { program throws(WorkerLoss) in try WorkerProcess(program) })
}
