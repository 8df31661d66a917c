import Clocks
import Logging
import ModuleFiles
import PKCS11URI
import TokenService

/// One module and its workers: one that lists what the module has, and one for each token in use, because there are
/// modules that let a call on one token hold up or hang all the others of its process.
///
/// While a module shows a single token, one worker does both. When a second one comes, that worker stays with the first
/// and its login, and another begins to list.
actor ModuleHost {
    let configuration: ModuleConfiguration
    let path: String
    let launch: WorkerLaunch
    let clock: AgentClock
    let log: Logger
    /// The worker that lists.
    var listing: WorkerHost
    let calls = TokenCalls()
    var workers: [TokenDescription: TokenWorker] = [:]
    /// What the module showed when it was listed last.
    var lastListing: [TokenSnapshot]?
    var listingLook: Look?
    var emptiness = Emptiness()

    /// The worker of a token in use.
    struct TokenWorker {
        let host: WorkerHost
        /// Signatures that may be under way at the same time; the others wait here and not in the worker, where their
        /// deadlines would run.
        let signatures: TurnQueue<SigningFlow>
        /// What it saw last of its token.
        var view: [TokenSnapshot]?
        /// False where a login or a logout has come since.
        var isViewCurrent = false
        var look: Look?
    }

    init(
        configuration: ModuleConfiguration, path: String, launch: WorkerLaunch, clock: AgentClock, log: Logger
    ) {
        self.configuration = configuration
        self.path = path
        self.launch = launch
        self.clock = clock
        self.log = log
        listing = WorkerHost(
            configuration: configuration, path: path, launch: launch, calls: calls, clock: clock, log: log)
    }

    nonisolated var identity: ModuleIdentity {
        ModuleIdentity(
            path: path, environment: configuration.environment, initArguments: configuration.initArguments)
    }

    /// What the library says of itself, once it has been loaded.
    var report: ModuleReport? {
        get async { await listing.report }
    }

    /// The process of the worker that lists, where it runs.
    var processID: Int32? {
        get async { await listing.processID }
    }

    func logIn(_ request: LoginRequest, pin: HeldPIN?) async -> Result<LoginOutcome, ModuleFailure> {
        let deadline = request.source == .protected ? launch.deadlines.keypad : launch.deadlines.logIn
        let token = request.token.token
        guard let worker = await worker(of: token)?.host else { return .failure(.crowded(Self.mostWorkers)) }
        let answer = await worker.ask(.logIn(request), secret: pin, deadline: deadline)
        forgetView(of: token)
        return answer.flatMap { reply in
            guard case .login(let outcome) = reply else { return .failure(.confused) }
            return .success(outcome)
        }
    }

    /// How a request for a signature ended.
    enum Signing: Hashable, Sendable {
        case signature([UInt8])
        /// The key wants its PIN each time, and this became of that login.
        case notAuthorized(LoginOutcome)
    }

    /// Where a signature waits for its turn, and has to be for as long as it is made.
    func turns(on token: TokenDescription) async -> TurnQueue<SigningFlow> {
        await worker(of: token)?.signatures ?? TurnQueue(places: 1)  // no worker: it fails at once
    }

    /// - Parameters:
    ///   - position: How many signatures the token's worker has then. Each of its sessions has one under way and one that
    ///     is next, so that no session waits for the agent; those that are next wait for one deadline, and then have theirs.
    ///   - mayTouch: The token may wait for a person's touch.
    ///   - isPINKnown: If the key gets a PIN, the token has taken it before: to send it twice costs no try.
    func sign(
        _ request: SignRequest, position: Int = 1, mayTouch: Bool, isPINKnown: Bool
    ) async -> Result<Signing, ModuleFailure> {
        let limits = launch.deadlines
        let limit = request.source == .protected ? limits.keypad : mayTouch ? limits.touch : limits.sign
        let deadline = position > configuration.sessions ? 2 * limit : limit
        guard let worker = await worker(of: request.token.token) else {
            return .failure(.crowded(Self.mostWorkers))
        }
        let kind: WorkerHost.CallKind = isPINKnown ? .signature : .signatureWithNewPIN
        return await worker.host.ask(.sign(request), as: kind, deadline: deadline).flatMap { reply in
            switch reply {
            case .signature(let signature): .success(.signature(signature))
            case .login(let outcome): .success(.notAuthorized(outcome))
            default: .failure(.confused)
            }
        }
    }

    /// Logs out of one token, or of all.
    func logOut(_ token: TokenReference?) async {
        let meant = token.map { workers[$0.token].map { [$0.host] } ?? [] } ?? hosts
        await withTaskGroup { group in
            for host in meant { group.addTask { await host.logOut(token) } }
        }
        if let token { forgetView(of: token.token) } else { workers.keys.forEach(forgetView) }
    }

    /// Logs out and ends the workers, for good.
    func stop() async {
        await withTaskGroup { group in
            for host in hosts { group.addTask { await host.stop() } }
        }
    }

    /// Logs out and ends the workers; the next request starts another.
    func restart() async {
        let ended = hosts
        workers.keys.forEach(forgetView)
        await withTaskGroup { group in
            for host in ended { group.addTask { await host.restart() } }
        }
    }

    /// Ends the worker of a token that is gone, and the one that lists, which may take the next card in the slot for the
    /// last one, unless it is another token's own.
    func forget(removed token: TokenDescription) async {
        await forget(token)
        if !workers.values.contains(where: { $0.host === listing }) { await listing.abandon() }
    }

    /// Has a new process list what there is: some modules know for good what they found when they were loaded (SoftHSM). No
    /// login ends with it. What happens to card readers is known from pcscd.
    func lookAnew() async {
        guard await !usesCardReaders else { return }
        listingLook = nil
        if workers.values.contains(where: { $0.host === listing }) {
            listing = newHost()
        } else {
            await listing.abandon()
        }
    }

    /// Ends the workers without another call: there is nothing left to log out of. Requests under way have another go.
    func abandon() async {
        let ended = hosts
        workers.keys.forEach(forgetView)
        for host in ended { await host.abandon() }
    }

    // MARK: Who works for whom

    var hosts: [WorkerHost] { [listing] + workers.values.map(\.host).filter { $0 !== listing } }

    /// The most tokens in use: each has a process, and a module may show thousands.
    static let mostWorkers = 64

    /// - Returns: Nil where too many other tokens are in use.
    private func worker(of token: TokenDescription) async -> TokenWorker? {
        if workers[token] == nil, workers.count >= Self.mostWorkers { await endIdleWorkers() }
        if let worker = workers[token] { return worker }
        guard workers.count < Self.mostWorkers else { return nil }
        let isAlone = workers.isEmpty && lastListing.map { $0.count == 1 && $0[0].token == token } ?? false
        let worker = TokenWorker(
            host: isAlone ? listing : newHost(), signatures: TurnQueue(places: 2 * configuration.sessions))
        workers[token] = worker
        return worker
    }

    /// Ends the workers of tokens that nothing is asked of and nobody is logged in to.
    private func endIdleWorkers() async {
        for (token, worker) in workers where await worker.host.isIdle { await forget(token) }
    }

    func newHost() -> WorkerHost {
        WorkerHost(
            configuration: configuration, path: path, launch: launch, calls: calls, clock: clock, log: log)
    }

    /// What was seen before a login or a logout is not what would be seen now: no look that began before is joined. The last
    /// listing stays for the time in which a person's touch keeps the module from looking.
    private func forgetView(of token: TokenDescription) {
        guard let worker = workers[token] else { return }
        workers[token]?.isViewCurrent = false
        workers[token]?.look = nil
        if worker.host === listing { listingLook = nil }
    }
}
