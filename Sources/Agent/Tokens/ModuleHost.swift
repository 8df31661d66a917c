import Logging
import TokenService

/// Why a module gave no answer.
enum ModuleFailure: Error, Hashable, Sendable {
    /// The module does not load, or its worker does not start. The text is the reason.
    case unavailable(String)
    /// Deaths in a row have opened the circuit: no worker is started for these milliseconds.
    case resting(String, milliseconds: Int64)
    case lost(WorkerLoss)
    /// pcscd, which the module needs, cannot be used.
    case readers(ServiceTrouble)
    case refused(WorkerFailure)

    /// Whether another attempt may fare better though nobody has changed anything: the worker died, and another starts.
    var passes: Bool {
        switch self {
        case .resting, .lost, .readers: true
        case .refused(let failure): failure.saysModuleIsBroken
        case .unavailable: false
        }
    }
}

/// One module and the worker that runs it, which is started when it is needed and again when it has died.
actor ModuleHost {
    let configuration: ModuleConfiguration
    let path: String

    let launch: WorkerLaunch
    private let clock: AgentClock
    private let log: Logger
    private var state = State.idle
    /// Workers that have died one after another without an answer between them.
    private var deaths = 0
    private var restUntil: Int64 = 0
    /// What the library says of itself, once it has been loaded.
    private(set) var report: ModuleReport?
    /// Its worker has been ended for good: who still holds this starts no other.
    private var isStopped = false
    private var emptiness = Emptiness()
    private var listing: Task<Result<[TokenSnapshot], ModuleFailure>, Never>?

    private enum State {
        case idle
        case starting(Task<Result<WorkerProcess, ModuleFailure>, Never>)
        case running(WorkerProcess)
    }

    /// What a worker process is made of.
    struct WorkerLaunch: Sendable {
        var executable: String
        var deadlines: Deadlines
        /// The user's home folder; nil for the system agent.
        var home: String?
    }

    /// In milliseconds.
    struct Deadlines: Sendable {
        var load: Int64 = 15_000
        var list: Int64 = 10_000
        var logIn: Int64 = 15_000
        var sign: Int64 = 15_000
        /// What a person confirms on the token.
        var touch: Int64 = 60_000
        /// What a person types on the reader's keypad: twice the time of a touch.
        var keypad: Int64 = 120_000

        init(_ timeouts: ModuleConfiguration.Timeouts) {
            list = Int64(timeouts.list) * 1000
            logIn = Int64(timeouts.login) * 1000
            sign = Int64(timeouts.sign) * 1000
            touch = Int64(timeouts.touch) * 1000
            keypad = 2 * touch
        }
    }

    init(
        configuration: ModuleConfiguration, path: String, launch: WorkerLaunch, clock: AgentClock, log: Logger
    ) {
        self.configuration = configuration
        self.path = path
        self.launch = launch
        self.clock = clock
        self.log = log
    }

    /// Every token of the module. Callers at the same time share one look.
    func tokens() async -> Result<[TokenSnapshot], ModuleFailure> {
        if let listing { return await listing.value }
        let task = Task {  // awaited right here, and by whoever joins
            await self.ask(.list, deadline: self.launch.deadlines.list)
                .flatMap { (reply) -> Result<[TokenSnapshot], ModuleFailure> in
                    guard case .tokens(let tokens) = reply else { return .failure(Self.confused) }
                    return .success(tokens)
                }
        }
        listing = task
        let result = await task.value
        listing = nil
        // Nobody is logged in to nothing. What happens to card readers is known from pcscd.
        if case .success(let tokens) = result, !usesCardReaders,
            emptiness.note(isEmpty: tokens.isEmpty, at: clock.boot())
        {
            await restart()
        }
        return result
    }

    func logIn(_ request: LoginRequest, pin: HeldPIN?) async -> Result<LoginOutcome, ModuleFailure> {
        let deadline = request.source == .protected ? launch.deadlines.keypad : launch.deadlines.logIn
        return await ask(.logIn(request), secret: pin, deadline: deadline).flatMap { reply in
            guard case .login(let outcome) = reply else { return .failure(Self.confused) }
            return .success(outcome)
        }
    }

    /// How a request for a signature ended.
    enum Signing: Hashable, Sendable {
        case signature([UInt8])
        /// The key wants its PIN each time, and this became of that login.
        case notAuthorized(LoginOutcome)
    }

    /// - Parameter mayTouch: The token may wait for a person's touch.
    func sign(_ request: SignRequest, mayTouch: Bool) async -> Result<Signing, ModuleFailure> {
        let limits = launch.deadlines
        let deadline = request.source == .protected ? limits.keypad : mayTouch ? limits.touch : limits.sign
        return await ask(.sign(request), deadline: deadline).flatMap { reply in
            switch reply {
            case .signature(let signature): .success(.signature(signature))
            case .login(let outcome): .success(.notAuthorized(outcome))
            default: .failure(Self.confused)
            }
        }
    }

    /// Logs out of one token, or of all. A worker that cannot, or does not answer at once, is killed: that logs out as well,
    /// and a lock is to be done within a second.
    func logOut(_ token: TokenReference?) async {
        guard case .running(let worker) = state else { return }
        let reply = await worker.ask(.logOut(token), deadline: 600, clock: clock)
        switch reply {
        case .failure(let loss): note(loss, of: worker)
        case .success(.failed(let failure)): retire(worker, because: failure)
        case .success: break
        }
    }

    /// Logs out and ends the worker, for good.
    func stop() async {
        isStopped = true
        await restart()
    }

    /// Logs out and ends the worker; the next request starts another. One that is being started is ended as well.
    ///
    /// - Parameter logsOut: Not, where the tokens that somebody was logged in to are gone: it could take a while.
    func restart(logsOut: Bool = true) async {
        if logsOut { await logOut(nil) }
        if case .running(let worker) = state { worker.kill(.stopped) }
        state = .idle
    }

    /// Ends the worker without another call: there is nothing left to log out of. Requests under way have another go.
    func abandon() {
        if case .running(let worker) = state { worker.kill(.othersDeadline) }
        state = .idle
    }

    /// The worker's process, where one runs.
    var processID: Int32? {
        if case .running(let worker) = state { worker.processID } else { nil }
    }

    // MARK: The worker

    func ask(
        _ request: Request, secret: HeldPIN? = nil, deadline: Int64
    ) async -> Result<Reply, ModuleFailure> {
        for isLastAttempt in [false, true] {
            let worker: WorkerProcess
            switch await running() {
            case .success(let running): worker = running
            case .failure(let failure): return .failure(failure.unsent)
            }
            let began = ContinuousClock.now
            let answer = await worker.ask(request, secret: secret, deadline: deadline, clock: clock)
            tell(request.name, since: began)
            switch answer {
            case .success(.failed(let failure)):
                guard failure.saysModuleIsBroken else {
                    deaths = 0
                    return .failure(.refused(failure))
                }
                retire(worker, because: failure)
                // To look costs nothing: what a new process sees may be all that is needed.
                if request == .list, !isLastAttempt { continue }
                return .failure(.refused(failure))
            case .success(let reply):
                deaths = 0
                return .success(reply)
            case .failure(let loss):
                note(loss, of: worker)
                // Another request's deadline has killed this one: it may have its turn, but a PIN is never sent twice.
                if !isLastAttempt, loss.isWorthRepeating(isLogin: request.isLogin) { continue }
                return .failure(.lost(loss))
            }
        }
        return .failure(.unavailable("the worker was killed twice"))
    }

    private func running() async -> Result<WorkerProcess, ModuleFailure> {
        guard !isStopped else { return .failure(Self.stopped) }
        switch state {
        case .running(let worker): return .success(worker)
        case .starting(let task):
            let result = await task.value
            switch state {  // ended while it was started, it is nobody's worker
            case .running(let current):
                if case .success(let worker) = result, worker === current { return result }
            case .starting(let current) where current == task: return result
            case .starting, .idle: break
            }
            guard case .success(let worker) = result else { return result }
            worker.kill(.stopped)
            return .failure(Self.stopped)
        case .idle: break
        }
        let now = clock.boot()
        guard now >= restUntil else {
            return .failure(.resting("its worker has died \(deaths) times in a row", milliseconds: restUntil - now))
        }
        let task = Task { await self.start() }  // awaited right here, and by whoever joins
        state = .starting(task)
        let result = await task.value
        guard case .starting(let current) = state, current == task else {
            if case .success(let worker) = result { worker.kill(.stopped) }
            return .failure(Self.stopped)
        }
        switch result {
        case .success(let worker): state = .running(worker)
        case .failure: state = .idle
        }
        return result
    }

    private func start() async -> Result<WorkerProcess, ModuleFailure> {
        let library: String
        switch ModuleFile.check(path) {
        case .success(let path): library = path
        case .failure(let problem): return .failure(.unavailable(problem.text))
        }
        let worker: WorkerProcess
        var began = ContinuousClock.now
        do throws(WorkerLoss) {
            let output = WorkerOutput(module: path, log: log)
            worker = try WorkerProcess(
                executable: launch.executable, environment: configuration.environment,
                output: { output.note($0) })
        } catch {
            return .failure(.lost(error))
        }
        let load = Request.load(configuration.load(library: library, home: launch.home))
        tell("start", since: began)
        began = .now
        let answer = await worker.ask(load, deadline: launch.deadlines.load, clock: clock)
        tell(load.name, since: began)
        switch answer {
        case .success(.loaded(let report)):
            self.report = report
            log.info(
                "module loaded",
                metadata: [
                    "module": "\(path)", "worker": "\(worker.processID)",
                    "library": "\(String(decoding: report.description, as: UTF8.self)) \(report.version)",
                ])
            if report.missesNetwork {
                log.warning(
                    "module asked for the network, which it does not have: if it needs it, write network = true",
                    metadata: ["module": "\(path)"])
            }
            return .success(worker)
        case .success(.failed(let failure)):
            worker.kill(.stopped)
            return .failure(.unavailable(failure.text))
        case .success:
            worker.kill(.stopped)
            return .failure(Self.confused)
        case .failure(let loss):
            rest()
            return .failure(.lost(loss))
        }
    }

    /// How long a token took is what an operator with a slow one asks.
    private func tell(_ call: String, since began: ContinuousClock.Instant) {
        let time = (ContinuousClock.now - began) / .microseconds(1)
        log.debug("worker call", metadata: ["module": "\(path)", "call": "\(call)", "microseconds": "\(Int(time))"])
    }

    private func note(_ loss: WorkerLoss, of worker: WorkerProcess) {
        guard case .running(let current) = state, current === worker else { return }
        state = .idle
        guard loss.cause != .stopped else { return }
        log.warning(
            "worker lost", metadata: ["module": "\(path)", "worker": "\(worker.processID)", "why": "\(loss)"])
        rest()
    }

    private func retire(_ worker: WorkerProcess, because failure: WorkerFailure) {
        log.warning("worker replaced", metadata: ["module": "\(path)", "why": "\(failure.text)"])
        worker.kill(.stopped)
        guard case .running(let current) = state, current === worker else { return }
        state = .idle
        rest()
    }

    /// The first death costs no pause, so that the next request finds a worker; a module that dies each time is left
    /// alone for longer and longer.
    private func rest() {
        deaths += 1
        guard deaths > 1 else { return }
        let pause: Int64 = deaths >= 10 ? 300_000 : min(30_000, 100 << min(deaths - 2, 16))
        restUntil = clock.boot() + pause
    }

    private static let stopped = ModuleFailure.lost(WorkerLoss(cause: .stopped))

    static let confused = ModuleFailure.refused(
        WorkerFailure(.protocol, text: "the worker gave another answer than the one asked for"))
}

extension Request {
    fileprivate var isLogin: Bool { if case .logIn = self { true } else { false } }

    fileprivate var name: String {
        switch self {
        case .load: "load"
        case .list: "list"
        case .logIn: "login"
        case .logOut: "logout"
        case .sign: "sign"
        case .presence: "presence"
        case .renewSessions: "renew"
        case .readers: "readers"
        }
    }
}

extension WorkerFailure {
    var saysModuleIsBroken: Bool { kind == .broken || kind == .nonsense }
}

extension WorkerLoss: CustomStringConvertible {
    var description: String {
        switch cause {
        case .ended(let how): how
        case .deadline(let milliseconds): "a call did not come back within \(milliseconds / 1000) seconds"
        case .othersDeadline: "another request's call did not come back in time"
        case .notStarted(let error): "it cannot be started: errno \(error)"
        case .stopped: "the agent ended it"
        }
    }
}
