import Synchronization

/// The requests to log out that have reached the worker, as the thread that reads has counted them: what is done on other
/// threads may come after such a request has been answered.
///
/// Requests for signatures come another way. The numbers of the frames tell which of two was sent first.
final class LogOuts: Sendable {
    private let arrived = Atomic<UInt64>(0)
    private let taken = Atomic<UInt64>(0)
    /// The number of the last one, above `some`; or `end`.
    private let last = Atomic<UInt64>(0)

    private static let some: UInt64 = 1 << 32
    private static let end: UInt64 = .max

    /// Notes one that has arrived.
    ///
    /// - Parameter number: Of its frame.
    func noteArrival(_ number: UInt32) { note(Self.some | UInt64(number)) }

    /// Notes the agent's end, which is one as well, and comes after all requests.
    func noteEnd() { note(Self.end) }

    private func note(_ last: UInt64) {
        self.last.store(last, ordering: .sequentiallyConsistent)
        arrived.add(1, ordering: .sequentiallyConsistent)
    }

    /// Notes that the control thread has taken one up.
    func noteTaken() { taken.add(1, ordering: .sequentiallyConsistent) }

    /// Whether one waits for the control thread.
    var areWaiting: Bool {
        arrived.load(ordering: .sequentiallyConsistent) != taken.load(ordering: .sequentiallyConsistent)
    }

    /// A request's place among those to log out.
    struct Place: Sendable {
        fileprivate let logOuts: LogOuts
        fileprivate let number: UInt32

        /// Whether a request to log out has arrived that was sent after this one. What has not begun then must not: the
        /// answer to that request may have told a person that the token is locked.
        var isOvertaken: Bool {
            switch logOuts.last.load(ordering: .sequentiallyConsistent) {
            case 0: false
            case LogOuts.end: true
            // Numbers begin anew after the last one: the nearer way decides.
            case let last: Int32(bitPattern: UInt32(truncatingIfNeeded: last) &- number) > 0
            }
        }
    }

    /// Of the request with this number.
    func place(of number: UInt32) -> Place {
        let last = last.load(ordering: .sequentiallyConsistent)
        if last != Self.end, number &- UInt32(truncatingIfNeeded: last) > 1 << 30,
            Int32(bitPattern: number &- UInt32(truncatingIfNeeded: last)) > 0
        {
            // It is so long ago that the numbers would soon say that it comes after this request.
            _ = self.last.compareExchange(expected: last, desired: 0, ordering: .sequentiallyConsistent)
        }
        return Place(logOuts: self, number: number)
    }
}
