import AgentAPI
import Differential
import Files
import ServiceAnswers
import Synchronization

@testable import Agent

/// One life of the values that decide about sessions: callers, attempts, looks at files, locks and reloads in an order that
/// a seed gives, before a witness.
struct SessionLife {
    /// What the values see of the tokens and the callers.
    private final class Around: Sendable {
        struct State {
            var locked: Set<ProfileName> = []
            var needsPerson: [ProfileName: Bool] = [:]
            var used: [ProfileName: String] = [:]
            var published: [ProfileName: String] = [:]
        }

        let state = Mutex(State())

        func needPerson(_ name: ProfileName, _ isNeeded: Bool?) { state.withLock { $0.needsPerson[name] = isNeeded } }
    }

    private static let names = ["own", "first", "second", "other", "top", "high"].compactMap { ProfileName($0) }
    private static func name(_ text: String) -> ProfileName { names.first { "\($0)" == text } ?? names[0] }
    private static let bases = [
        name("top"): name("own"), name("high"): name("top"), name("second"): name("other"),
    ]
    private static let fallbacks = [
        name("own"): [name("first"), name("second")], name("top"): [name("first")], name("first"): [name("other")],
    ]
    private static let fewer = [name("own"): [name("second")], name("first"): [name("other")]]
    private static let problems = [
        Problem.down, .down, .down, .throttled(7), Problem(.tokenGone, "the token is gone"), .denied, .pinNeeded,
        .untouched, Problem(.awsDenied, "the security token is invalid", retry: .base), .unusable(until: nil),
        CredentialCache.needsOwner(names[0]),
    ]

    private let around = Around()
    private let settings: CacheSettings
    private var dice: SplitMix64
    private var requests: SessionRequests
    private var now = Moment(wall: 1_767_225_600_000, boot: 86_400_000)
    private var looks: [(profile: ProfileName, purpose: FileLook)] = []
    /// Those that the source is at.
    private var attempts: [(profile: ProfileName, flight: ProfileState.Flight)] = []
    private var files = 0
    private var sessions = 0
    /// How well each profile's service and token are, of 10.
    private var health: [ProfileName: Int] = [:]
    private(set) var witness: SessionWitness
    private(set) var diary: [String]?

    init(seed: UInt64, diary: [String]? = nil) {
        dice = SplitMix64(seed: seed)
        self.diary = diary
        settings = CacheSettings(
            random: { ($0.lowerBound + $0.upperBound) / 2 }, render: { Array($0.accessKeyID.utf8) })
        witness = SessionWitness(bases: Self.bases, fallbacks: Self.fallbacks)
        requests = SessionRequests(
            profiles: Set(Self.names), routes: ProfileRoutes(bases: Self.bases, fallbacks: Self.fallbacks),
            CacheSurroundings(
                isLocked: { [around] name in around.state.withLock { $0.locked.contains(name) } },
                needsPerson: { [around] name in around.state.withLock { $0.needsPerson[name] } },
                isUsed: { [around] name in
                    around.state.withLock { $0.published[name] != nil && $0.used[name] == $0.published[name] }
                },
                random: settings.random, patience: settings.patience))
        witness.move(to: now)
    }

    mutating func live() {
        for name in Self.names { health[name] = Int.random(in: 0...10, using: &dice) }
        for _ in 0..<50 where witness.broken == nil { step() }
        if witness.broken == nil, dice.oneIn(20) { recover() }
    }

    private mutating func write(_ line: @autoclosure () -> String) {
        if diary != nil {
            let text = "\((now.boot - 86_400_000) / 1000) s: \(line())"
            diary?.append(text)
        }
    }

    private mutating func step() {
        let name = dice.pick(Self.names)
        switch Int.random(in: 0..<100, using: &dice) {
        case 0..<22: ask(name)
        case 22..<26: refresh(name)
        case 26..<30: held(name)
        case 30..<45: endLook()
        case 45..<68: endAttempt()
        case 68..<70: leave()
        case 70..<72: lock([name])
        case 72..<75: unlock()
        case 75..<77: drop([name])
        case 77..<78: lock(Set(Self.names))
        case 78..<80: stateChanged()
        case 80..<82: reload()
        case 82..<86: health[name] = dice.oneIn(2) ? 0 : 10
        case 86..<87: around.needPerson(name, dice.pick([true, false, nil]))
        case 87..<88: files += 1
        case 88..<89: setWall(by: Int64.random(in: -3_600_000...3_600_000, using: &dice))
        default: pass(dice.pick([10, 900, 5_000, 61_000, 300_000, 1_800_000]))
        }
        witness.move(to: now)
        witness.judge()
    }

    private mutating func setWall(by milliseconds: Int64) {
        write("the wall clock is set by \(milliseconds) ms")
        now.wall += milliseconds
    }

    // MARK: Events

    private mutating func happen<R>(_ event: (inout SessionRequests, Moment) -> R) -> R {
        let result = event(&requests, now)
        for step in requests.takeSteps() {
            switch step {
            case .publish(let name, let session, _):
                around.state.withLock { $0.published[name] = session?.accessKeyID }
            case .markUsed(let name): around.state.withLock { $0.used[name] = $0.published[name] }
            case .look(let name, let purpose): looks.append((name, purpose))
            case .ask(let name, let flight, _): attempts.append((name, flight))
            case .cancel, .answer, .noteStandIn: break
            }
            switch step {
            case .publish, .markUsed: break
            case .answer(let call, let outcome): write("  \(call): \(Self.text(outcome))")
            case .ask(let name, let flight, let base):
                write(
                    "  attempt \(flight.id) on \(name) for \(flight.occasion) with \(base?.accessKeyID ?? "the token")")
            default: write("  \(step)")
            }
            witness.look(at: step)
        }
        return result
    }

    private static func text(_ outcome: Result<CachedCredentials, Problem>) -> String {
        switch outcome {
        case .success(let session): "\(session.accessKeyID) of \(session.profiles)"
        case .failure(let problem): "\(problem.detail)"
        }
    }

    private mutating func call(
        _ name: ProfileName, _ occasion: Occasion, _ ask: (inout SessionRequests, SessionCall, Moment) -> Void
    ) {
        let person = SessionCall.Person(asking: nil, mayGesture: !dice.oneIn(4))
        let id = requests.newID()
        write("\(id) asks for \(name) on \(occasion), gestures \(person.mayGesture)")
        witness.ask(name, wantsNew: occasion == .demand, as: id)
        happen { requests, now in
            var call = SessionCall(id, for: name, .client, on: occasion, by: person, until: now.boot + 50_000)
            call.wantsNew = occasion == .demand
            ask(&requests, call, now)
        }
    }

    private mutating func ask(_ name: ProfileName) { call(name, .request) { $0.ask($1, at: $2) } }

    private mutating func refresh(_ name: ProfileName) {
        let share = dice.pick([AttemptBudget.Share.owner, .others])
        call(name, .demand) { $0.refresh($1, share, at: $2) }
    }

    private mutating func held(_ name: ProfileName) {
        write("held \(name)")
        let outcome = happen { requests, now in
            Result { () throws(Problem) in try requests.held(name, at: now) }
        }
        witness.judge(outcome, for: name, wantsNew: false, since: now.boot)
    }

    private mutating func leave() {
        guard let id = witness.waiting.randomElement(using: &dice) else { return }
        write("\(id) leaves")
        witness.leave(id)
        happen { requests, _ in requests.leave(id) }
    }

    private mutating func endLook() {
        guard !looks.isEmpty else { return }
        let look = looks.remove(at: Int.random(in: looks.indices, using: &dice))
        write("look at \(look.profile) for \(look.purpose)")
        let stamps = Array(repeating: FileStamp?.none, count: files)
        happen { $0.looked(at: look.profile, for: look.purpose, stamps, at: $1) }
    }

    private mutating func endAttempt() {
        guard !attempts.isEmpty else { return }
        let attempt = attempts.remove(at: Int.random(in: attempts.indices, using: &dice))
        let isWell = Int.random(in: 0..<10, using: &dice) < health[attempt.profile] ?? 0
        let lifetime = dice.pick([900, 3600, 43_200] as [Int64])
        sessions += 1
        let expiration = now.wall / 1000 + lifetime
        let problem = isWell ? nil : dice.pick(Self.problems)
        let (name, now) = ("S\(sessions)", now)
        let outcome = Result { () throws(Problem) in
            if let problem { throw problem }
            return try CachedCredentials(
                SessionCredentials(
                    accessKeyID: name, secretAccessKey: "secret", sessionToken: "token", expiration: expiration,
                    accountID: nil),
                of: [attempt.profile] + attempt.flight.madeOf, receivedAt: now, settings)
        }
        write("attempt \(attempt.flight.id) on \(attempt.profile): \(Self.text(outcome))")
        let wall = expiration * 1000
        witness.end(
            attempt.flight, of: attempt.profile, outcome, expires: (wall, now.boot + wall - now.wall))
        happen { $0.ended(attempt.flight.id, of: attempt.profile, outcome, at: $1) }
    }

    private mutating func lock(_ names: Set<ProfileName>) {
        write("lock \(names)")
        around.state.withLock { $0.locked.formUnion(names) }
        witness.lock(names)
        withdraw(names) { $0.lock(names, at: $1) }
    }

    private mutating func drop(_ names: Set<ProfileName>) {
        write("drop \(names)")
        withdraw(names) { $0.drop(names, at: $1) }
    }

    /// The answers are judged as of after the change.
    private mutating func withdraw(
        _ names: Set<ProfileName>, _ change: (inout SessionRequests, Moment) -> Set<ProfileName>
    ) {
        var changed = requests
        let told = change(&changed, now)
        witness.withdraw(names, told: told)
        _ = happen(change)
    }

    private mutating func unlock() {
        write("unlock")
        around.state.withLock { $0.locked = [] }
        witness.unlock()
        stateChanged()
    }

    private mutating func stateChanged() { happen { $0.stateChanged(nil, at: $1) } }

    private mutating func reload() {
        let fallbacks = dice.pick([Self.fallbacks, Self.fewer])
        write("reload with \(fallbacks)")
        witness.reload(fallbacks: fallbacks)
        happen { requests, now in
            requests.replace(
                Set(Self.names), routes: ProfileRoutes(bases: Self.bases, fallbacks: fallbacks), changed: [], at: now)
        }
    }

    /// Time passes, and the alarm rings when it is due.
    private mutating func pass(_ milliseconds: Int64) {
        write("\(milliseconds) ms pass")
        let end = now.boot + milliseconds
        for _ in 0..<10_000 where witness.broken == nil {
            let next = max(now.boot, min(end, requests.alarm))
            now.wall += next - now.boot
            now.boot = next
            witness.move(to: now)
            guard requests.alarm <= now.boot else { return }
            happen { $0.tick(at: $1) }
        }
    }

    /// All is well again: each profile's callers get its own sessions.
    private mutating func recover() {
        unlock()
        around.state.withLock { $0.needsPerson = [:] }
        for name in Self.names { health[name] = 10 }
        endAll()
        for _ in 0..<14 where witness.broken == nil {
            pass(300_000)
            endAll()
        }
        for _ in 0..<2 {
            for name in Self.names { ask(name) }
            endAll()
        }
        for name in Self.names { witness.expectOwn(name, requests.chains.status(of: name, at: now)) }
        witness.judge()
    }

    private mutating func endAll() {
        while !(looks.isEmpty && attempts.isEmpty), witness.broken == nil {
            endLook()
            endAttempt()
        }
    }
}
