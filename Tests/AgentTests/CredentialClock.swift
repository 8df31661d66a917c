import Agent
import Clocks
import Synchronization

/// Two clocks that stand still until a test turns the hands, and those who sleep by them.
final class CredentialClock: Sendable {
    private struct Sleeper {
        let wakeAt: Int64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        // 2026-01-01T00:00:00Z, a day after boot.
        var wall: Int64 = 1_767_225_600_000
        var boot: Int64 = 86_400_000
        var sleepers: [Int: Sleeper] = [:]
        var lastID = 0
    }

    private let state = Mutex(State())

    var agentClock: AgentClock {
        AgentClock(wall: { self.wall }, boot: { self.boot }, sleep: { try await self.sleep($0) })
    }

    var wall: Int64 { state.withLock { $0.wall } }
    var boot: Int64 { state.withLock { $0.boot } }
    var sleeping: Int { state.withLock { $0.sleepers.count } }
    /// How often somebody has begun to sleep.
    var naps: Int { state.withLock { $0.lastID } }
    /// Boot time at which the first sleeper wakes.
    var nextWake: Int64? { state.withLock { $0.sleepers.values.map(\.wakeAt).min() } }

    /// Lets time pass to this boot time, and wakes those who slept until then.
    func move(to boot: Int64) {
        let woken = state.withLock { state in
            state.wall += boot - state.boot
            state.boot = boot
            let due = state.sleepers.filter { $0.value.wakeAt <= boot }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.continuation)
        }
        for sleeper in woken { sleeper.resume() }
    }

    /// Sets the wall clock, as an administrator does.
    func setWall(by milliseconds: Int64) { state.withLock { $0.wall += milliseconds } }

    /// Lets the machine sleep: both clocks go on, no timer does.
    func suspend(for milliseconds: Int64) {
        state.withLock { state in
            state.wall += milliseconds
            state.boot += milliseconds
            state.sleepers = state.sleepers.mapValues {
                Sleeper(wakeAt: $0.wakeAt + milliseconds, continuation: $0.continuation)
            }
        }
    }

    private func sleep(_ milliseconds: Int64) async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if Task.isCancelled { return true }
                    state.sleepers[id] = Sleeper(wakeAt: state.boot + milliseconds, continuation: continuation)
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let sleeper = state.withLock { $0.sleepers.removeValue(forKey: id) }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }
}
