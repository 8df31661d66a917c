import AgentAPI
import Files
import ServiceAnswers
import Synchronization

@testable import Agent

/// A source that does what a test's script says, and remembers each attempt.
final class ScriptedSource: CredentialSource {
    struct Step: Sendable {
        /// Milliseconds that the attempt takes.
        var takes: Int64 = 0
        /// Waits until the test says `release`, whatever its task is told.
        var isHeld = false
        var outcome: Outcome
    }

    enum Outcome: Sendable {
        /// A session of so many seconds.
        case session(Int64)
        case credentials(SessionCredentials)
        case failure(Problem)
    }

    struct Attempt: Sendable {
        let profile: ProfileName
        let occasion: Occasion
        let accessKeyID: String
        /// The number of the attempt that gave the base's session.
        let base: Int?
        /// Whether it had the MFA code that the caller has brought.
        let hasCode: Bool
        /// Boot time in milliseconds, and the wall's.
        let began: Int64
        let beganByWall: Int64
        var ended: Int64?
        var failure: Problem?
        /// What the wall clock was ahead of the boot clock when it failed.
        var endedWithOffset: Int64?
        var isCancelled = false
        /// When the session ends, by the wall clock in seconds and by the boot clock in milliseconds.
        var expiration: Int64?
        var deadline: Int64?
        var lifetime: Int64?

        var gaveSession: Bool { failure == nil && !isCancelled && (lifetime ?? 0) >= 60_000 }
    }

    private struct State {
        var script: @Sendable (ProfileName, Int) -> Step = { _, _ in Step(outcome: .session(3600)) }
        var attempts: [Attempt] = []
        var needsPerson = false
        var locked: Set<ProfileName> = []
        /// How often a file has changed that every attempt reads.
        var fileChanges = 0
        var looks = 0
        /// The profiles whose files hang, and the looks at them.
        var hanging: Set<ProfileName> = []
        var hungLooks: [ProfileName: [CheckedContinuation<Void, Never>]] = [:]
        var released = 0
        var asleep = 0
        var running: [ProfileName: Int] = [:]
        var held: [CheckedContinuation<Void, Never>] = []
        var last: [ProfileName: Int] = [:]
        var lastEnded: [ProfileName: Int] = [:]
        var lastSession: [ProfileName: Int] = [:]
        /// How often an attempt has begun, fallen asleep, woken or ended.
        var steps = 0
    }

    private let clock: CredentialClock
    private let state = Mutex(State())

    init(clock: CredentialClock) { self.clock = clock }

    var attempts: [Attempt] { state.withLock { $0.attempts } }
    var count: Int { state.withLock { $0.attempts.count } }
    var asleep: Int { state.withLock { $0.asleep } }
    var held: Int { state.withLock { $0.held.count } }
    var steps: Int { state.withLock { $0.steps } }
    /// True when no attempt is between two states.
    var isQuiet: Bool { state.withLock { $0.running.values.reduce(0, +) == $0.asleep + $0.held.count } }

    func attempt(_ number: Int) -> Attempt? {
        state.withLock { $0.attempts.indices.contains(number) ? $0.attempts[number] : nil }
    }

    func last(_ profile: ProfileName) -> Attempt? { find(\.last, profile) }
    func lastEnded(_ profile: ProfileName) -> Attempt? { find(\.lastEnded, profile) }
    func lastSession(_ profile: ProfileName) -> Attempt? { find(\.lastSession, profile) }

    private func find(_ index: KeyPath<State, [ProfileName: Int]>, _ profile: ProfileName) -> Attempt? {
        state.withLock { state in state[keyPath: index][profile].map { state.attempts[$0] } }
    }

    /// The number of the attempt that gave this session.
    static func number(of accessKeyID: String) -> Int? { Int(accessKeyID.dropFirst("ASIATEST".count)) }

    private static func number(of base: SessionKey) -> Int? { number(of: base.accessKey.id) }

    func running(_ profile: ProfileName) -> Int { state.withLock { $0.running[profile] ?? 0 } }

    /// What each attempt does, by profile and by number (the first is 0).
    func script(_ script: @escaping @Sendable (ProfileName, Int) -> Step) { state.withLock { $0.script = script } }

    /// What every attempt does from now on.
    func always(_ outcome: Outcome, takes: Int64 = 0) {
        script { _, _ in Step(takes: takes, outcome: outcome) }
    }

    func hold(then outcome: Outcome) { script { _, _ in Step(isHeld: true, outcome: outcome) } }

    /// Lets the attempt go on that was held first, or the next one that would be: its task may not have come so far.
    func release() {
        state.withLock { state in
            if state.held.isEmpty { state.released += 1 }
            return state.held.isEmpty ? nil : state.held.removeFirst()
        }?.resume()
    }

    func isLocked(_ profile: ProfileName) -> Bool { state.withLock { $0.locked.contains(profile) } }

    func setLocked(_ profiles: Set<ProfileName>) { state.withLock { $0.locked = profiles } }

    func needsPerson(for profile: ProfileName) -> Bool? { state.withLock { $0.needsPerson } }

    func files(of profile: ProfileName) async -> [FileStamp?] {
        await withCheckedContinuation { continuation in
            let isHung = state.withLock { state in
                guard state.hanging.contains(profile) else { return false }
                state.hungLooks[profile, default: []].append(continuation)
                return true
            }
            if !isHung { continuation.resume() }
        }
        return state.withLock { state in
            state.looks += 1
            return Array(repeating: nil, count: state.fileChanges)
        }
    }

    /// How often the files have been looked at.
    var looks: Int { state.withLock(\.looks) }

    /// How many looks at the profile's files hang.
    func hungLooks(_ profile: ProfileName) -> Int { state.withLock { $0.hungLooks[profile]?.count ?? 0 } }

    /// Lets looks at the profile's files hang, or go on.
    func hang(_ profile: ProfileName, _ hangs: Bool = true) {
        let ended = state.withLock { state in
            if hangs { state.hanging.insert(profile) } else { state.hanging.remove(profile) }
            return hangs ? [] : state.hungLooks.removeValue(forKey: profile) ?? []
        }
        for look in ended { look.resume() }
    }

    func changeFiles() { state.withLock { $0.fileChanges += 1 } }

    /// Whether all that follows takes a touch or a PIN.
    func needPerson(_ isNeeded: Bool) { state.withLock { $0.needsPerson = isNeeded } }

    func credentials(
        for profile: ProfileName, on occasion: Occasion, from base: SessionKey?
    ) async throws(Problem) -> SessionCredentials {
        let (index, step) = state.withLock { state in
            let index = state.attempts.count
            let key = "ASIATEST\(index)"
            state.attempts.append(
                Attempt(
                    profile: profile, occasion: occasion, accessKeyID: key, base: base.flatMap(Self.number),
                    hasCode: BroughtCode.current != nil, began: clock.boot, beganByWall: clock.wall))
            state.steps += 1
            state.running[profile, default: 0] += 1
            state.last[profile] = index
            return (index, state.script(profile, index))
        }
        if step.isHeld {
            await withCheckedContinuation { continuation in
                let isReleased = state.withLock { state in
                    state.steps += 1
                    guard state.released > 0 else {
                        state.held.append(continuation)
                        return false
                    }
                    state.released -= 1
                    return true
                }
                if isReleased { continuation.resume() }
            }
        }
        if step.takes > 0 {
            state.withLock { state in
                state.steps += 1
                state.asleep += 1
            }
            do { try await clock.agentClock.sleep(step.takes) } catch {
                state.withLock { $0.attempts[index].isCancelled = true }
            }
            state.withLock { $0.asleep -= 1 }
        }
        let now = (wall: clock.wall, boot: clock.boot)
        return try state.withLock { state throws(Problem) in
            state.steps += 1
            state.running[profile, default: 1] -= 1
            state.attempts[index].ended = now.boot
            state.lastEnded[profile] = index
            if state.attempts[index].isCancelled { throw .down }
            switch step.outcome {
            case .failure(let failure):
                state.attempts[index].failure = failure
                state.attempts[index].endedWithOffset = now.wall - now.boot
                throw failure
            case .credentials(let credentials): return credentials
            case .session(let seconds):
                let expiration = now.wall / 1000 + seconds
                state.attempts[index].expiration = expiration
                state.attempts[index].lifetime = expiration * 1000 - now.wall
                state.attempts[index].deadline = now.boot + expiration * 1000 - now.wall
                if state.attempts[index].gaveSession { state.lastSession[profile] = index }
                return SessionCredentials(
                    accessKeyID: state.attempts[index].accessKeyID, secretAccessKey: "secret", sessionToken: "token",
                    expiration: expiration, accountID: "111122223333")
            }
        }
    }
}

extension Problem {
    static let down = Self(.awsUnavailable, "the service is down")
    static let denied = Self(.awsDenied, "the service refuses")
    static let pinNeeded = Self(.pinNeeded, "the token needs its PIN")
    static let codeNeeded = Self(.mfaNeeded, "a code is needed")
    static let untouched = Self(.tokenBusy, "nobody touched the token", retry: .person)

    /// - Parameter end: When the certificate begins, in seconds since 1970.
    static func unusable(until end: Int64?) -> Self {
        var problem = Self(.noIdentity, "no usable certificate")
        problem.causeEnds = end
        return problem
    }

    static func throttled(_ seconds: Int) -> Self { Self(.awsThrottled, "too many requests", retryAfter: seconds) }
}
