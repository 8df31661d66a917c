import Clocks

/// The clocks of a machine, and what is to happen when: nothing does until a test lets time pass.
final class MachineTime: @unchecked Sendable {  // used by one thread
    /// Milliseconds since boot; a day has gone by.
    private(set) var boot: Int64 = 86_400_000
    private(set) var asleep: Int64 = 0
    private var alarms: [Alarm] = []
    private var last = 0

    private struct Alarm {
        var time: Int64
        let id: Int
        let action: () -> Void
    }

    /// 2026-01-01T00:00:00Z, a day after boot.
    var wall: Int64 { 1_767_225_600_000 - 86_400_000 + boot }

    @discardableResult
    func after(_ milliseconds: Int64, _ action: @escaping () -> Void) -> Int {
        last += 1
        let alarm = Alarm(time: boot + max(0, milliseconds), id: last, action: action)
        // After all that is due at the same time.
        let index = alarms.lastIndex { $0.time <= alarm.time }.map { $0 + 1 } ?? 0
        alarms.insert(alarm, at: index)
        return last
    }

    func cancel(_ id: Int) {
        if let index = alarms.firstIndex(where: { $0.id == id }) { alarms.remove(at: index) }
    }

    /// Lets time pass to the next thing that happens, or to `limit`.
    ///
    /// - Returns: Whether something happened.
    func step(to limit: Int64) -> Bool {
        guard let next = alarms.first, next.time <= limit else {
            boot = max(boot, limit)
            return false
        }
        alarms.removeFirst()
        boot = max(boot, next.time)
        next.action()
        return true
    }

    /// The machine sleeps: boot time goes on, and what was to happen happens later.
    func sleep(_ milliseconds: Int64) {
        boot += milliseconds
        asleep += milliseconds
        for index in alarms.indices { alarms[index].time += milliseconds }
    }
}

/// The life of one agent on the machine: what it sleeps by, and whether it has been killed.
///
/// A killed agent's tasks run on to their end, and see neither cards nor files nor the machine's time any more.
final class AgentLife: @unchecked Sendable {  // used by one thread
    let number: Int
    /// What the names of its runtime files begin with.
    let files: String
    private let time: MachineTime
    private let loop: JobLoop
    private(set) var isOver = false
    private var timeAfterwards: Int64 = 0
    private var sleepers: [Int: Sleeper] = [:]
    private var last = 0

    private struct Sleeper {
        let alarm: Int
        let wakes: Int64
        let continuation: CheckedContinuation<Void, any Error>
    }

    init(number: Int, files: String, time: MachineTime, loop: JobLoop) {
        self.loop = loop
        self.number = number
        self.files = files
        self.time = time
    }

    var clock: AgentClock {
        AgentClock(
            wall: { self.time.wall }, boot: { self.boot }, awake: { self.boot - self.time.asleep },
            sleep: { try await self.sleep($0) })
    }

    private var boot: Int64 { isOver ? timeAfterwards : time.boot }

    func end() {
        isOver = true
        timeAfterwards = max(time.boot, sleepers.values.map(\.wakes).max() ?? 0)
        for sleeper in sleepers.values {
            time.cancel(sleeper.alarm)
            sleeper.continuation.resume()
        }
        sleepers = [:]
    }

    private func sleep(_ milliseconds: Int64) async throws {
        try Task.checkCancellation()
        guard !isOver else {
            timeAfterwards += max(1, milliseconds)
            return await withCheckedContinuation { continuation in loop.afterwards { continuation.resume() } }
        }
        last += 1
        let id = last
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                let alarm = time.after(milliseconds) { self.wake(id) }
                sleepers[id] = Sleeper(
                    alarm: alarm, wakes: time.boot + milliseconds, continuation: continuation)
            }
        } onCancel: {
            guard let sleeper = sleepers.removeValue(forKey: id) else { return }
            time.cancel(sleeper.alarm)
            sleeper.continuation.resume(throwing: CancellationError())
        }
    }

    private func wake(_ id: Int) { sleepers.removeValue(forKey: id)?.continuation.resume() }
}
