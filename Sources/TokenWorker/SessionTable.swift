import Synchronization
import TokenService

/// One thread's sessions, by slot: one with each token, opened when it is first needed.
struct SessionTable<Session, Failure: Error> {
    private var entries: [UInt64: (reference: TokenReference, session: Session)] = [:]
    private var generation: UInt64
    private let wished: () -> UInt64
    private let make: (TokenReference) throws(Failure) -> Session

    /// - Parameters:
    ///   - wished: Another number after each wish that every session be opened anew.
    ///   - make: Opens a session with the token.
    init(renewedAt wished: @escaping () -> UInt64, _ make: @escaping (TokenReference) throws(Failure) -> Session) {
        self.wished = wished
        self.make = make
        generation = wished()
    }

    /// Opens what is open anew, where that has been wished for. The new session comes before the old one goes, so that a
    /// login that the token still knows of is not lost. A token that is gone has no session any more.
    mutating func renew() {
        let wished = wished()
        guard generation != wished else { return }
        generation = wished
        entries = entries.compactMapValues { entry in (try? make(entry.reference)).map { (entry.reference, $0) } }
    }

    /// The session with this token, opened where there is none. Another token's in its slot is closed first.
    mutating func open(_ reference: TokenReference) throws(Failure) -> Session {
        if let session = self[reference] { return session }
        entries[reference.slotID] = nil
        let session = try make(reference)
        entries[reference.slotID] = (reference, session)
        return session
    }

    /// The session with this token, where one is open.
    subscript(_ reference: TokenReference) -> Session? {
        entries[reference.slotID].flatMap { $0.reference == reference ? $0.session : nil }
    }

    /// Every open session.
    var all: [(reference: TokenReference, session: Session)] { Array(entries.values) }

    mutating func close(slot: UInt64) { entries[slot] = nil }

    mutating func closeAll(where isMeant: (TokenReference, Session) -> Bool) {
        entries = entries.filter { !isMeant($0.value.reference, $0.value.session) }
    }
}

/// The wish that every session be opened anew, which each thread grants its own sessions before it uses them again.
///
/// The thread that reads requests notes it and calls nothing: a module that hangs keeps nobody from saying it.
final class SessionRenewal: Sendable {
    private let count = Atomic<UInt64>(0)

    func wish() { count.add(1, ordering: .relaxed) }

    /// Another number after each wish.
    var generation: UInt64 { count.load(ordering: .relaxed) }
}
