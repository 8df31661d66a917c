import Synchronization

/// The wish that every session be opened anew, which each thread grants its own sessions before it uses them again.
///
/// The thread that reads requests notes it and calls nothing: a module that hangs keeps nobody from saying it.
final class SessionRenewal: Sendable {
    private let count = Atomic<UInt64>(0)

    func wish() { count.add(1, ordering: .relaxed) }

    /// Another number after each wish.
    var generation: UInt64 { count.load(ordering: .relaxed) }
}
