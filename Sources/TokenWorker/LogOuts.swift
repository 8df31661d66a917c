import Synchronization

/// The requests to log out that have reached the worker, as the thread that reads has counted them: what is done on other
/// threads may come after such a request has been answered.
final class LogOuts: Sendable {
    private let arrived = Atomic<UInt64>(0)
    private let taken = Atomic<UInt64>(0)

    /// Notes one that has arrived. The agent's end is one as well.
    func noteArrival() { arrived.add(1, ordering: .sequentiallyConsistent) }

    /// Notes that the control thread has taken one up.
    func noteTaken() { taken.add(1, ordering: .sequentiallyConsistent) }

    /// Whether one waits for the control thread.
    var areWaiting: Bool {
        arrived.load(ordering: .sequentiallyConsistent) != taken.load(ordering: .sequentiallyConsistent)
    }

    /// When a request has arrived, among those to log out.
    struct Arrival: Sendable {
        fileprivate let logOuts: LogOuts
        fileprivate let number: UInt64

        /// Whether a request to log out has arrived since. What has not begun then must not: the answer to that request may
        /// have told a person that the token is locked.
        var isOvertaken: Bool { logOuts.arrived.load(ordering: .sequentiallyConsistent) != number }
    }

    /// For a request that arrives now.
    var arrival: Arrival { Arrival(logOuts: self, number: arrived.load(ordering: .sequentiallyConsistent)) }
}
