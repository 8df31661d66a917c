import DequeModule
import Dispatch
import Synchronization

/// Jobs for the thread that takes them, first in, first out.
final class WorkQueue<Job: Sendable>: Sendable {
    private let jobs = Mutex<Deque<Job>>([])
    private let available = DispatchSemaphore(value: 0)

    func add(_ job: Job) {
        jobs.withLock { $0.append(job) }
        available.signal()
    }

    /// Drops what waits, for this job.
    func replaceAll(with job: Job) {
        jobs.withLock { $0 = [job] }
        available.signal()
    }

    /// Waits for a job.
    func next() -> Job {
        while true {
            available.wait()
            // Dropped jobs leave their signals.
            if let job = jobs.withLock({ $0.popFirst() }) { return job }
        }
    }
}
