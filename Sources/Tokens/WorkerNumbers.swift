package import Glibc
package import Synchronization

/// The process numbers of the workers that run, and of those that have just ended: a connection that one of them has made
/// may still wait in a queue.
package struct WorkerNumbers {
    private var running: Set<pid_t> = []
    private var ended: [pid_t: ContinuousClock.Instant] = [:]

    /// How long a number stays a worker's. The kernel gives a number out again when it has gone through all the others.
    private static let memory = Duration.seconds(10)

    mutating func start(_ number: pid_t) {
        running.insert(number)
        ended[number] = nil
    }

    mutating func end(_ number: pid_t, at now: ContinuousClock.Instant) {
        running.remove(number)
        ended = ended.filter { now - $0.value < Self.memory }
        ended[number] = now
    }

    package func contains(_ number: pid_t, at now: ContinuousClock.Instant) -> Bool {
        running.contains(number) || ended[number].map { now - $0 < Self.memory } ?? false
    }
}

extension WorkerNumbers {
    /// Those of this process, whose children they are.
    package static let own = Mutex(WorkerNumbers())
}
