import Clocks
import Logging
import TokenService

/// One worker of a module: started when it is needed, again when it has died, and anew when it has served long enough.
actor WorkerHost {
    private let executor: TokensExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.unownedExecutor }

    private let launch: WorkerLaunch
    private var state = State.idle
    private var rest = WorkerRest()
    /// What the library says of itself, once it has been loaded.
    private(set) var report: ModuleReport?
    /// It has been ended for good: those who still hold this start no other.
    private var isStopped: Bool
    private var login = HeldLogin.none
    private var wear = WorkerWear(startedAt: 0)
    /// Requests that have not been answered.
    private var pending = 0
    /// The logins and signatures of all workers of the module.
    private let calls: TokenCalls
    /// A worker takes looks and logins one by one: they wait here, where no deadline runs yet.
    private let control = TurnQueue<CallKind>(places: 1)

    typealias Running = Result<any WorkerConnection, ModuleFailure>

    private enum State {
        case idle
        case starting(Task<Running, Never>)
        case running(any WorkerConnection)
    }

    init(_ launch: WorkerLaunch, on executor: TokensExecutor, calls: TokenCalls, isStopped: Bool = false) {
        self.executor = executor
        self.launch = launch
        self.calls = calls
        self.isStopped = isStopped
    }

    private var clock: AgentClock { launch.clock }

    private func log(
        _ level: Logger.Level, _ message: Logger.Message, _ metadata: @autoclosure () -> Logger.Metadata
    ) {
        launch.log.log(level: level, message, metadata: metadata().merging(["module": "\(launch.path)"]) { $1 })
    }

    /// The worker's process, where one runs.
    var processID: Int32? {
        if case .running(let worker) = state { worker.processID } else { nil }
    }

    /// Whether nothing is asked of it, and it holds no login.
    var isIdle: Bool { pending == 0 && login == .none }

    /// - Parameters:
    ///   - permit: Nil for a call that no lock takes back.
    ///   - deadline: In milliseconds, from when the worker is asked; past it the process is killed, because nothing else
    ///     ends a call into a module. A look has longer while a token's card may be waiting for a person.
    func ask(
        _ request: Request, as kind: CallKind? = nil, secret: HeldPIN? = nil, permit: CallPermit? = nil, deadline: Int64
    ) async -> Result<Reply, ModuleFailure> {
        pending += 1
        defer { pending -= 1 }
        let kind = kind ?? CallKind(request)
        guard kind == .look || kind == .login else {
            return await askInTurn(request, kind, secret: secret, permit: permit, deadline: deadline)
        }
        await control.enter(kind)
        let answer = await askInTurn(request, kind, secret: secret, permit: permit, deadline: deadline)
        control.leave()
        return answer
    }

    private func askInTurn(
        _ request: Request, _ kind: CallKind, secret: HeldPIN?, permit: CallPermit?, deadline: Int64
    ) async -> Result<Reply, ModuleFailure> {
        let (calls, clock) = (calls, clock)
        for isLastAttempt in [false, true] {
            if permit?.isRevoked == true { return .failure(.lost(.revoked)) }  // no worker is started for it
            let worker: any WorkerConnection
            switch await running() {
            case .success(let running): worker = running
            case .failure(let failure): return .failure(failure.unsent)
            }
            let began = ContinuousClock.now
            let call = kind == .look || kind == .other ? nil : calls.begin(at: clock.boot(), by: ObjectIdentifier(self))
            let answer = await worker.ask(
                request, secret: secret, permit: permit, deadline: deadline,
                mayExpire: { kind != .look || !calls.isLong(at: clock.boot()) }, clock: clock)
            if let call { calls.end(call) }
            tell(request.name, since: began)
            switch answer {
            case .success(.failed(let failure)) where failure.retry == .newWorker:
                retire(worker, because: failure)
                // To look costs nothing: what a new process sees may be all that is needed.
                if kind == .look, !isLastAttempt { continue }
                return .failure(.refused(failure))
            case .success(let reply):
                rest.noteAnswer()
                note(reply, to: request)
                if case .failed(let failure) = reply { return .failure(.refused(failure)) }
                replaceIfWorn(worker)
                return .success(reply)
            case .failure(let loss) where loss.isOfRequest: return .failure(.lost(loss))
            case .failure(let loss):
                note(loss, of: worker)
                if !isLastAttempt, kind.mayBeSentAgain(after: loss) { continue }
                return .failure(.lost(loss))
            }
        }
        return .failure(.unavailable("the worker was killed twice"))
    }

    /// Logs out of one token, or of all. A worker that cannot, or does not answer at once, is killed: that logs out as well.
    func logOut(_ token: TokenReference?) async {
        guard case .running(let worker) = state else { return }
        switch await worker.ask(.logOut(token), deadline: launch.deadlines.logOut, clock: clock) {
        case .failure(let loss): note(loss, of: worker)
        case .success(.failed(let failure)): retire(worker, because: failure)
        case .success: login = .none
        }
    }

    /// Logs out and ends the worker, for good.
    func stop() async {
        isStopped = true
        await restart()
    }

    /// Ends the worker now, for good: its token is gone, and a module may hang that is asked anything more.
    func drop() {
        isStopped = true
        end()
    }

    /// Logs out and ends the worker; the next request starts another. One that is being started is ended as well.
    func restart() async {
        await logOut(nil)
        end()
    }

    /// Logs out and ends the worker; the next request starts another. Requests under way have another go.
    func renew() async {
        await logOut(nil)
        end(.othersDeadline)
    }

    /// Ends the worker without another call. Requests under way have another go.
    func abandon() { end(.othersDeadline) }

    private func end(_ cause: WorkerLoss.Cause = .stopped) {
        if case .running(let worker) = state { worker.kill(cause) }
        state = .idle
        login = .none
    }

    private func note(_ reply: Reply, to request: Request) {
        wear.operations += 1
        guard case .logIn(let login) = request, case .login(let outcome) = reply else { return }
        switch outcome {
        case .loggedIn: self.login = login.source.isStored ? .ofStoredPIN : .ofPerson
        case .notNeeded where self.login == .none: self.login = .ofPerson
        case .notNeeded, .refused, .rejected: break
        }
    }

    /// Puts a new worker in the place of one that has served long enough and has nothing to do.
    private func replaceIfWorn(_ worker: any WorkerConnection) {
        guard pending == 1, case .running(let current) = state, current === worker,  // the one is the caller's
            wear.isToBeLookedAt(at: clock.boot()),
            let why = wear.verdict(
                at: clock.boot(), residentBytes: residentBytes(of: worker.processID), login: login)
        else { return }
        log(.notice, "worker recycled", ["worker": "\(worker.processID)", "why": "\(why)"])
        let task = Task {
            // The end of the process logs out as well, so that the answer does not matter.
            _ = await worker.ask(.logOut(nil), deadline: self.launch.deadlines.logOut, clock: self.clock)
            worker.kill(.stopped)
            return await self.start()
        }
        state = .starting(task)
        Task { _ = await self.join(task) }  // ends with the start; the next request waits for the same
    }

    private func note(_ loss: WorkerLoss, of worker: any WorkerConnection) {
        guard forget(worker), loss.cause != .stopped else { return }
        log(.warning, "worker lost", ["worker": "\(worker.processID)", "why": "\(loss)"])
        rest.noteDeath(at: clock.boot(), because: "\(loss)")
    }

    private func retire(_ worker: any WorkerConnection, because failure: WorkerFailure) {
        log(.warning, "worker replaced", ["why": "\(failure.text)"])
        worker.kill(.stopped)
        if forget(worker) { rest.noteDeath(at: clock.boot(), because: failure.text) }
    }

    /// - Returns: Whether it was the one that runs.
    private func forget(_ worker: any WorkerConnection) -> Bool {
        guard case .running(let current) = state, current === worker else { return false }
        state = .idle
        login = .none
        return true
    }

    /// An operator with a slow token asks how long it took.
    private func tell(_ call: String, since began: ContinuousClock.Instant) {
        let time = (ContinuousClock.now - began) / .microseconds(1)
        log(.debug, "worker call", ["call": "\(call)", "microseconds": "\(Int(time))"])
    }

    // MARK: Starting

    /// The worker, started if there is none; callers who come meanwhile wait for the same.
    private func running() async -> Running {
        guard !isStopped else { return .failure(.stopped) }
        let task: Task<Running, Never>
        switch state {
        case .running(let worker): return .success(worker)
        case .starting(let current): task = current
        case .idle:
            if let refusal = rest.refusal(at: clock.boot()) { return .failure(refusal) }
            task = Task { await self.start() }  // awaited right here, and by those who join
            state = .starting(task)
        }
        return await join(task)
    }

    /// Waits for a start, and settles which worker runs afterwards.
    private func join(_ task: Task<Running, Never>) async -> Running {
        let result = await task.value
        switch state {
        case .starting(let current) where current == task:
            switch result {
            case .success(let worker): state = .running(worker)
            case .failure: state = .idle
            }
            return result
        case .running(let current):
            if case .success(let worker) = result, worker === current { return result }
        case .starting, .idle:
            // The first of those who joined has noted the failure.
            if case .failure = result { return result }
        }
        // It was ended while it started.
        if case .success(let worker) = result { worker.kill(.stopped) }
        return .failure(.stopped)
    }

    private func start() async -> Running {
        let worker: any WorkerConnection
        var began = ContinuousClock.now
        do throws(WorkerLoss) {
            worker = try launch.worker()
        } catch {
            return .failure(.lost(error))
        }
        login = .none
        wear = WorkerWear(startedAt: clock.boot())
        tell("start", since: began)
        began = .now
        let load: Request
        do throws(ModuleFailure) {
            load = try await launch.load()
        } catch {
            worker.kill(.stopped)
            rest.noteDeath(at: clock.boot(), because: "\(error)")
            return .failure(error)
        }
        let answer = await worker.ask(load, deadline: launch.deadlines.load, clock: clock)
        tell(load.name, since: began)
        switch answer {
        case .success(.loaded(let report)):
            self.report = report
            let library = "\(String(decoding: report.description, as: UTF8.self)) \(report.version)"
            log(.info, "module loaded", ["worker": "\(worker.processID)", "library": "\(library)"])
            return .success(worker)
        case .success(let reply):
            worker.kill(.stopped)
            if case .failed(let failure) = reply { return .failure(.unavailable(failure.text)) }
            return .failure(.confused)
        case .failure(let loss):
            log(.warning, "worker lost as it started", ["worker": "\(worker.processID)", "why": "\(loss)"])
            if loss.cause != .stopped { rest.noteDeath(at: clock.boot(), because: "\(loss)") }
            return .failure(.lost(loss))
        }
    }

    // MARK: Kinds of requests

    /// Looks and logins come one after another, and logins and signatures may wait for a person.
    enum CallKind: Hashable {
        case look
        case login
        case signature
        /// Its key wants a PIN each time, and gets one that the token has not taken before.
        case signatureWithNewPIN
        case other

        init(_ request: Request) {
            self =
                switch request {
                case .sign: .signatureWithNewPIN
                case .dateKey: .signature
                case .logIn: .login
                case .list: .look
                case .load, .logOut, .presence, .renewSessions, .readers, .registeredModules, .management: .other
                }
        }

        /// A request that no worker has seen whole may go to another, and so may a look, and a request that another's
        /// deadline has cut short. A PIN that no token has judged is never sent twice.
        func mayBeSentAgain(after loss: WorkerLoss) -> Bool {
            guard loss.wasSent else { return true }
            return switch (self, loss.cause) {
            case (.login, _), (.signatureWithNewPIN, _): false
            case (_, .othersDeadline), (.look, .ended): true
            default: false
            }
        }
    }
}

extension Request {
    var name: String {
        switch self {
        case .load: "load"
        case .list: "list"
        case .logIn: "login"
        case .logOut: "logout"
        case .sign: "sign"
        case .dateKey: "date-key"
        case .presence: "presence"
        case .renewSessions: "renew"
        case .readers: "readers"
        case .registeredModules: "registered-modules"
        case .management: "management"
        }
    }
}
