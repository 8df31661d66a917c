import Dispatch
import Synchronization

/// Jobs for the threads that take them, first in, first out.
final class WorkQueue<Job: Sendable>: Sendable {
    private let jobs = Mutex<[Job]>([])
    private let available = DispatchSemaphore(value: 0)

    func add(_ job: Job) {
        jobs.withLock { $0.append(job) }
        available.signal()
    }

    /// Waits for a job.
    func next() -> Job {
        available.wait()
        return jobs.withLock { $0.removeFirst() }
    }
}
