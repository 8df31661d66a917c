import Clocks
import Glibc
import PKCS11
import PKCS11URI
import TokenService

@testable import TokenWorker
@testable import Tokens

/// A module: which cards it shows, and how often it fails.
final class ScriptedModule: @unchecked Sendable {  // used by one thread
    let path: String
    /// The numbers of the cards that it would show.
    let shows: Set<Int>
    /// Of a thousand calls.
    var faults: Int64 = 0
    /// It shows no token at all for now: its server is away.
    var isEmpty = false
    /// Reloads under way that leave it out of the configuration.
    var reloads = 0
    /// When it last showed less than there was, in the order of all that happened.
    var lied = 0

    init(path: String, shows: Set<Int>) {
        self.path = path
        self.shows = shows
    }
}

/// Does what tokenward-worker does with a request, by its own decisions about logins (`LoginAttempt`, `PINMemory`), with
/// cards and a module that follow a script.
final class ScriptedWorker: WorkerConnection, @unchecked Sendable {  // used by one thread
    let number: Int
    let processID: pid_t = .max  // no process has it
    /// Nil until it is told which to load.
    private(set) var module: ScriptedModule?
    let life: AgentLife
    private let world: PINWorld
    private var calls: [CardWitness.Attempt] = []
    private var cause: WorkerLoss.Cause?
    private(set) var hasEnded = false
    private var pending: [Int: Pending] = [:]
    private var last = 0
    private var controls: [Job] = []
    private var isBusy = false
    private var memory = PINMemory()
    /// When the request was made that is served now, in the order of all that happened.
    private var asked = 0
    /// Calls that are in the module's hands and have had no effect yet.
    private var inModule: [Int: () -> Void] = [:]

    private struct Pending {
        let continuation: CheckedContinuation<Result<Reply, WorkerLoss>, Never>
        var alarm: Int
    }

    private struct Job {
        let number: Int
        let request: Request
        let secret: HeldPIN?
        let arrived: Int64
        let asked: Int
    }

    /// How a call into the module ends.
    private enum Ending {
        case answer(Reply, told: (() -> Void)? = nil)
        case crash
        case hang
    }

    init(number: Int, life: AgentLife, world: PINWorld) {
        self.number = number
        self.life = life
        self.world = world
    }

    func ask(
        _ request: Request, secret: HeldPIN?, permit: CallPermit?, deadline: Int64,
        mayExpire: @escaping @Sendable () -> Bool, clock: AgentClock
    ) async -> Result<Reply, WorkerLoss> {
        guard cause == nil, !hasEnded, !life.isOver else {
            return .failure(WorkerLoss(cause: cause ?? .stopped, wasSent: false))
        }
        if permit?.isRevoked == true { return .failure(.revoked) }
        last += 1
        let number = last
        return await withCheckedContinuation { continuation in
            pending[number] = Pending(continuation: continuation, alarm: 0)
            watch(number, deadline, mayExpire)
            take(
                Job(
                    number: number, request: request, secret: secret, arrived: world.time.boot,
                    asked: world.witness.tick()))
        }
    }

    func kill(_ cause: WorkerLoss.Cause) {
        guard !hasEnded else { return }
        guard self.cause == nil else {
            if life.isOver { end() }
            return
        }
        self.cause = cause
        world.witness.write("\(world.time.boot) worker \(number) ends: \(cause)")
        // Some calls are with the card already.
        for (_, effect) in inModule.sorted(by: { $0.key < $1.key }) where world.dice.happens(300) { effect() }
        inModule = [:]
        for card in world.cards { card.logins[number] = nil }
        for call in calls where call.ended == nil { world.witness.end(call, isJudged: false) }
        guard !life.isOver else { return end() }
        world.time.after(world.dice.roll(0...2)) { self.end() }
    }

    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        let ended = pending
        pending = [:]
        for (_, request) in ended.sorted(by: { $0.key < $1.key }) {
            world.time.cancel(request.alarm)
            request.continuation.resume(returning: .failure(WorkerLoss(cause: cause ?? .stopped)))
        }
    }

    private func watch(_ number: Int, _ deadline: Int64, _ mayExpire: @escaping @Sendable () -> Bool) {
        pending[number]?.alarm = world.time.after(deadline) { [self] in
            guard mayExpire() else { return watch(number, deadline, mayExpire) }
            guard let late = pending.removeValue(forKey: number) else { return }
            kill(.othersDeadline)
            late.continuation.resume(
                returning: .failure(WorkerLoss(cause: .deadline(milliseconds: deadline))))
        }
    }

    // MARK: One thread for what changes a login, and some that sign

    private func take(_ job: Job) {
        switch job.request {
        case .sign: begin(job) {}
        case .renewSessions: reply(.renewed, to: job.number)
        default:
            controls.append(job)
            if !isBusy { nextControl() }
        }
    }

    private func nextControl() {
        guard !controls.isEmpty, cause == nil else { return isBusy = false }
        isBusy = true
        begin(controls.removeFirst()) { self.nextControl() }
    }

    private func begin(_ job: Job, _ then: @escaping () -> Void) {
        let effect = { [self] in
            guard inModule.removeValue(forKey: job.number) != nil else { return }
            switch perform(job) {
            case .answer(let answer, let told):
                world.time.after(pause(job.request)) { [self] in
                    guard cause == nil else { return }
                    told?()
                    reply(answer, to: job.number)
                    then()
                }
            case .crash: kill(.ended("it was ended by signal 11"))
            case .hang: break
            }
        }
        inModule[job.number] = effect
        world.time.after(pause(job.request)) { [self] in
            guard cause == nil else { return }
            effect()
        }
    }

    private func pause(_ request: Request) -> Int64 {
        switch request {
        case .sign: world.dice.happens(50) ? world.dice.roll(500...20_000) : world.dice.roll(1...300)
        default: world.dice.happens(30) ? world.dice.roll(500...5000) : world.dice.roll(1...50)
        }
    }

    private func reply(_ reply: Reply, to number: Int) {
        guard let request = pending.removeValue(forKey: number) else { return }
        world.time.cancel(request.alarm)
        request.continuation.resume(returning: .success(reply))
    }

    private func perform(_ job: Job) -> Ending {
        asked = job.asked
        if case .load(let load) = job.request { module = world.modules.first { $0.path == load.path } }
        guard let module else { return .crash }
        world.witness.write("\(world.time.boot) worker \(number) of \(module.path) \(job.request.name)")
        let fails = world.dice.happens(module.faults)
        switch job.request {
        case .load:
            if fails { return world.dice.happens(500) ? .crash : .hang }
            return .answer(.loaded(ModuleReport(manufacturer: [], description: [], version: "1.0")))
        case .list(let scope): return list(scope, fails)
        case .presence:
            if fails { return .hang }
            return .answer(
                .present(shown(fails).map { TokenReference(slotID: $0.slot ?? 0, token: $0.token) }))
        case .logIn(let request): return logIn(request, job.secret, fails)
        case .logOut(let reference): return logOut(reference, fails)
        case .sign(let request): return sign(request, job.arrived, fails)
        case .renewSessions: return .answer(.renewed)
        case .dateKey, .registeredModules, .readers, .management: return .crash
        }
    }

    // MARK: What it shows

    private func shown(_ lies: Bool) -> [ScriptedCard] {
        guard let module, !module.isEmpty, !lies else {
            module?.lied = world.witness.tick()
            return []
        }
        return world.cards.filter { $0.slot != nil && module.shows.contains($0.number) }
    }

    private func list(_ scope: ListScope, _ fails: Bool) -> Ending {
        var lies = false
        if fails {
            switch world.dice.roll(0...3) {
            case 0: return .crash
            case 1: return .hang
            case 2: return .answer(.failed(WorkerFailure(.failed(.getSlotList, .code(0x05)))))
            default: lies = true
            }
        }
        let cards = shown(lies)
        switch scope {
        case .all(let spared):
            memory.keep(only: Set(cards.map(\.token)))
            return .answer(
                .tokens(
                    cards.map { card in
                        var snapshot = card.snapshot(for: number)
                        if spared.contains(card.token) { snapshot.isLoggedIn = false }
                        return snapshot
                    }))
        case .one(let reference):
            let seen = cards.filter { $0.token == reference.token }
            if seen.isEmpty { memory.wipe(reference.token) }
            return .answer(.tokens(seen.map { $0.snapshot(for: number) }))
        }
    }

    private func card(_ reference: TokenReference) -> ScriptedCard? {
        shown(false).first { $0.token == reference.token }
    }

    private static let gone = Reply.failed(WorkerFailure(.absentToken))

    // MARK: Logins

    /// How a login ended: as the worker's own decisions have it, or with the process.
    private enum LoginEnd {
        case outcome(LoginOutcome, CardWitness.Attempt?)
        case error(PKCS11Error, CardWitness.Attempt?)
        case crash
        case hang
    }

    private func logIn(_ request: LoginRequest, _ typed: HeldPIN?, _ fails: Bool) -> Ending {
        guard let card = card(request.token) else { return .answer(Self.gone) }
        if card.logins[number] != nil { return .answer(.login(.notNeeded)) }
        var attempt = LoginAttempt(request, for: .token, memory)
        var pin: HeldPIN?
        switch carryOut(&attempt, on: card, typed, &pin, fails, isContext: false) {
        case .crash: return .crash
        case .hang: return .hang
        case .error(let error, let seen):
            return .answer(.failed(WorkerFailure(error)), told: { self.tell(seen, false) })
        case .outcome(let outcome, let seen):
            let isWantedAgain = outcome == .loggedIn && request.source == .typed && card.alwaysAuthenticates
            memory.noteLogin(outcome, to: request, wasSent: attempt.wasSent, pin: isWantedAgain ? pin : nil)
            let login = seen.map { seen in
                CardLogin(
                    act: seen.act, began: world.time.boot,
                    lifetimes: world.lifetimes(of: seen.act, card, on: module?.path))
            }
            if outcome == .loggedIn { card.logins[number] = login }
            return .answer(
                .login(outcome),
                told: { [self] in
                    login?.answered = world.time.boot
                    tell(seen, outcome.judgesPIN)
                })
        }
    }

    private func tell(_ attempt: CardWitness.Attempt?, _ isJudged: Bool) {
        if let attempt { world.witness.end(attempt, isJudged: isJudged) }
    }

    /// Takes the worker's steps, as `LoginAttempt.carryOut` does with a token.
    private func carryOut(
        _ attempt: inout LoginAttempt, on card: ScriptedCard, _ typed: HeldPIN?, _ held: inout HeldPIN?, _ fails: Bool,
        isContext: Bool
    ) -> LoginEnd {
        var act: PINAct?
        var seen: CardWitness.Attempt?
        while true {
            switch attempt.step {
            case .look: attempt.note(flags: card.flags, lengths: 4...12)
            case .rest: attempt.noteRest()
            case .fetchPIN:
                switch attempt.request.source {
                case .typed: held = typed
                case .file(let path), .credential(let path):
                    act = world.storedPIN(at: path)
                    held = act.flatMap { world.held($0) }
                case .protected: break
                }
                act = act ?? held.flatMap { world.act(of: $0) }
                attempt.note(pin: held.map { .success(PINShape($0.pin)) } ?? .failure(.empty))
            case .compare:
                let hash = Self.hash(act?.pin ?? [])
                attempt.note(mayBeRefused: attempt.request.refused.contains { $0.hash == hash })
            case .send:
                let sent = act ?? world.typeOnKeypad(of: card)
                let answer: ReturnValue?
                switch send(sent, to: card, fails ? world.dice.roll(0...10) : nil, isContext: isContext, &seen) {
                case .crash: return .crash
                case .hang: return .hang
                case .answer(let code): answer = code
                }
                do throws(PKCS11Error) {
                    try attempt.note(answer: answer.map { .failed(.logIn, $0) })
                } catch {
                    return .error(error, seen)
                }
            case .logOut: attempt.noteLogout()
            case .end(var outcome):
                if case .rejected(let code, let name, _, let oddities) = outcome, let act,
                    ReturnValue(rawValue: UInt(code)).meaning == .wrongPIN
                {
                    let salt = attempt.request.refused.first?.salt ?? Self.salt
                    outcome = .rejected(
                        returnValue: code, name: name, failed: FailedPIN(salt: salt, hash: Self.hash(act.pin)),
                        oddities: oddities)
                }
                return .outcome(outcome, seen)
            }
        }
    }

    private enum Call {
        case answer(ReturnValue?)
        case crash
        case hang
    }

    /// The one C_Login, and what a module may make of it.
    private func send(
        _ act: PINAct, to card: ScriptedCard, _ fault: Int64?, isContext: Bool, _ seen: inout CardWitness.Attempt?
    ) -> Call {
        switch fault {
        case 0: return .crash
        case 1: return .hang
        case 2: return .answer(.code(0xE0))  // CKR_TOKEN_NOT_PRESENT
        case 3: return .answer(.code(0x100))  // CKR_USER_ALREADY_LOGGED_IN: it has judged nothing
        default: break
        }
        let attempt = world.witness.send(
            act, to: card, on: module?.path ?? "", by: life.number, isContext: isContext,
            hasStoredRule: world.hasStoredRule(card, on: module?.path), asked: asked,
            at: world.time.boot)
        calls.append(attempt)
        seen = attempt
        let verdict = card.enter(act.pin)
        switch fault {
        case 4: return .crash
        case 5: return .hang
        case 6: return .answer(.code(0x32))  // CKR_DEVICE_REMOVED
        case 7: return .answer(.code(0x05))  // CKR_GENERAL_ERROR
        case 8: return .answer(.code(0x06))  // CKR_FUNCTION_FAILED
        case 9: return .answer(.code(0xB3))  // CKR_SESSION_HANDLE_INVALID
        case 10: return .answer(.code(0x8000_0001))  // a vendor's
        default: break
        }
        return switch verdict {
        case .right: .answer(nil)
        case .wrong: .answer(.code(0xA0))  // CKR_PIN_INCORRECT
        case .blocked: .answer(.code(0xA4))  // CKR_PIN_LOCKED
        }
    }

    private static let salt = [UInt8](repeating: 1, count: FailedPIN.saltLength)

    /// In the place of scrypt, which takes a tenth of a second.
    private static func hash(_ pin: [UInt8]) -> [UInt8] {
        pin + [UInt8](repeating: 0, count: FailedPIN.hashLength - pin.count)
    }

    private func logOut(_ reference: TokenReference?, _ fails: Bool) -> Ending {
        if fails { return world.dice.happens(500) ? .hang : .answer(.failed(WorkerFailure(.function, text: "CKR"))) }
        for card in world.cards where reference.map({ $0.token == card.token }) ?? true {
            card.logins[number] = nil
        }
        memory.wipe(reference?.token)
        return .answer(.loggedOut)
    }

    // MARK: Signatures

    private func sign(_ request: SignRequest, _ arrived: Int64, _ fails: Bool) -> Ending {
        guard let card = card(request.token) else { return .answer(Self.gone) }
        let lost = Reply.failed(WorkerFailure(.failed(.sign, .code(0x101)), in: .init(isLoggedIn: false)))
        guard let login = card.logins[number] else { return .answer(lost) }
        if fails {
            switch world.dice.roll(0...4) {
            case 0: return .crash
            case 1: return .hang
            case 2:
                card.logins[number] = nil
                return .answer(lost)
            case 3: return .answer(.failed(WorkerFailure(.failed(.sign, .code(0x50)))))
            default: break  // the login for the operation fails
            }
        }
        guard card.alwaysAuthenticates else {
            world.witness.sign(login, on: card, asked: arrived)
            return .answer(.signature([1]))
        }
        return authorize(request, card, login, arrived, fails)
    }

    /// The login that the key wants for its one operation.
    private func authorize(
        _ request: SignRequest, _ card: ScriptedCard, _ login: CardLogin, _ arrived: Int64, _ fails: Bool
    ) -> Ending {
        let wanted = LoginRequest(
            token: request.token, source: request.source, refused: request.refused,
            mayBeReserved: request.mayBeReserved)
        var attempt = LoginAttempt(wanted, for: .operation, memory)
        var pin: HeldPIN?
        switch carryOut(&attempt, on: card, memory.pin(for: card.token), &pin, fails, isContext: true) {
        case .crash: return .crash
        case .hang: return .hang
        case .error(let error, let seen):
            let failure = WorkerFailure(error, in: .init(isLoggedIn: true))
            return .answer(.failed(failure), told: { self.tell(seen, false) })
        case .outcome(let outcome, let seen):
            memory.noteOperation(outcome, wanted)
            let told = { self.tell(seen, outcome.judgesPIN) }
            guard outcome == .loggedIn || outcome == .notNeeded else { return .answer(.login(outcome), told: told) }
            world.witness.sign(login, on: card, asked: arrived)
            return .answer(.signature([1]), told: told)
        }
    }
}

extension LoginOutcome {
    /// The agent learns that the card has taken this PIN, or refused it.
    fileprivate var judgesPIN: Bool {
        switch self {
        case .loggedIn, .rejected(_, _, failed: .some, _): true
        case .notNeeded, .refused, .rejected: false
        }
    }
}

extension ReturnValue {
    /// By the number that PKCS#11 gives it (2.40 §A.3).
    fileprivate static func code(_ number: UInt) -> ReturnValue { ReturnValue(rawValue: number) }
}
