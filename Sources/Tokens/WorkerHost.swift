import Clocks
import Logging
import ModuleFiles
import TokenService

/// One worker of a module: started when it is needed, again when it has died, and anew when it has served long enough.
actor WorkerHost {
    let configuration: ModuleConfiguration
    let path: String
    let launch: WorkerLaunch
    let clock: AgentClock
    let log: Logger
    var state = State.idle
    var rest = WorkerRest()
    /// What the library says of itself, once it has been loaded.
    var report: ModuleReport?
    /// It has been ended for good: who still holds this starts no other.
    private(set) var isStopped = false
    private var login = HeldLogin.none
    private var wear = WorkerWear(startedAt: 0)
    /// Requests that have not been answered.
    private var pending = 0
    /// The logins and signatures of all workers of the module.
    private let calls: TokenCalls
    /// A worker takes looks and logins one by one: they wait here, where no deadline runs yet.
    private let control = TurnQueue<CallKind>(places: 1)

    typealias Running = Result<any WorkerConnection, ModuleFailure>

    enum State {
        case idle
        case starting(Task<Running, Never>)
        case running(any WorkerConnection)
    }

    init(
        configuration: ModuleConfiguration, path: String, launch: WorkerLaunch, calls: TokenCalls, clock: AgentClock,
        log: Logger
    ) {
        self.calls = calls
        self.configuration = configuration
        self.path = path
        self.launch = launch
        self.clock = clock
        self.log = log
    }

    /// The worker's process, where one runs.
    var processID: Int32? {
        if case .running(let worker) = state { worker.processID } else { nil }
    }

    /// Whether nothing is asked of it and nobody is logged in by it.
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
        await control.leave()
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
            case .failure(.revoked): return .failure(.lost(.revoked))
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

    /// Ends the worker without another call. Requests under way have another go.
    func abandon() { end(.othersDeadline) }

    private func end(_ cause: WorkerLoss.Cause = .stopped) {
        if case .running(let worker) = state { worker.kill(cause) }
        state = .idle
        login = .none
    }

    func noteStart() {
        login = .none
        wear = WorkerWear(startedAt: clock.boot())
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
            let why = wear.verdict(
                at: clock.boot(), residentBytes: residentBytes(of: worker.processID), login: login)
        else { return }
        log.notice(
            "worker recycled", metadata: ["module": "\(path)", "worker": "\(worker.processID)", "why": "\(why)"])
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
        guard case .running(let current) = state, current === worker else { return }
        state = .idle
        login = .none
        guard loss.cause != .stopped else { return }
        log.warning(
            "worker lost", metadata: ["module": "\(path)", "worker": "\(worker.processID)", "why": "\(loss)"])
        rest.noteDeath(at: clock.boot())
    }

    private func retire(_ worker: any WorkerConnection, because failure: WorkerFailure) {
        log.warning("worker replaced", metadata: ["module": "\(path)", "why": "\(failure.text)"])
        worker.kill(.stopped)
        guard case .running(let current) = state, current === worker else { return }
        state = .idle
        login = .none
        rest.noteDeath(at: clock.boot())
    }

    /// How long a token took is what an operator with a slow one asks.
    func tell(_ call: String, since began: ContinuousClock.Instant) {
        let time = (ContinuousClock.now - began) / .microseconds(1)
        log.debug("worker call", metadata: ["module": "\(path)", "call": "\(call)", "microseconds": "\(Int(time))"])
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
        case .presence: "presence"
        case .renewSessions: "renew"
        case .readers: "readers"
        case .registeredModules: "registered-modules"
        }
    }
}
