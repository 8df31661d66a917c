import AgentAPI
import DequeModule
import Synchronization

/// How many exchanges with services are under way at a time. Each has a thread of its own, for as long as a service that
/// hangs is given: hundreds of profiles of one service must not have hundreds.
final class ExchangePlaces: Sendable {
    private let state: Mutex<State>

    /// - Parameters:
    ///   - most: All places.
    ///   - kept: Those that only the owner's programs and people get, who wait for their answer.
    init(most: Int = 64, kept: Int = 16) { state = Mutex(State(most: most, kept: kept)) }

    /// Makes an exchange when there is a place for it.
    ///
    /// - Throws: What it throws; `.shuttingDown` in a task that is cancelled before.
    func during<Value>(
        _ occasion: Occasion, _ exchange: () async throws(Problem) -> Value
    ) async throws(Problem) -> Value {
        let isOwners = occasion.isOwners
        guard await enter(isOwners) else {
            throw Problem(.shuttingDown, "the request was cancelled", hint: "try again")
        }
        defer { leave(isOwners) }
        return try await exchange()
    }

    /// - Returns: Whether there is a place; if not, the task was cancelled.
    private func enter(_ isOwners: Bool) async -> Bool {
        let id = state.withLock { $0.newID() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    if Task.isCancelled { return continuation.resume(returning: false) }
                    state.add(Waiter(id: id, continuation: continuation), isOwners)
                    state.admit()
                }
            }
        } onCancel: {
            state.withLock { $0.remove(id) }
        }
    }

    private func leave(_ isOwners: Bool) {
        state.withLock { state in
            state.end(isOwners)
            state.admit()
        }
    }

    /// How many wait.
    var waiters: Int { state.withLock { $0.owners.count + $0.others.count } }

    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        let most: Int
        let kept: Int
        var ownersUnderWay = 0
        var othersUnderWay = 0
        var owners: Deque<Waiter> = []
        var others: Deque<Waiter> = []
        private var last: UInt64 = 0

        init(most: Int, kept: Int) { (self.most, self.kept) = (most, kept) }

        mutating func newID() -> UInt64 {
            last += 1
            return last
        }

        mutating func add(_ waiter: Waiter, _ isOwners: Bool) {
            if isOwners { owners.append(waiter) } else { others.append(waiter) }
        }

        mutating func end(_ isOwners: Bool) { if isOwners { ownersUnderWay -= 1 } else { othersUnderWay -= 1 } }

        /// Lets in those for whom there is a place, the owner's first.
        mutating func admit() {
            while ownersUnderWay + othersUnderWay < most {
                if let next = owners.popFirst() {
                    ownersUnderWay += 1
                    next.continuation.resume(returning: true)
                } else if othersUnderWay < most - kept, let next = others.popFirst() {
                    othersUnderWay += 1
                    next.continuation.resume(returning: true)
                } else {
                    return
                }
            }
        }

        /// Turns one away that was cancelled as it waited.
        mutating func remove(_ id: UInt64) {
            if let index = owners.firstIndex(where: { $0.id == id }) {
                owners.remove(at: index).continuation.resume(returning: false)
            } else if let index = others.firstIndex(where: { $0.id == id }) {
                others.remove(at: index).continuation.resume(returning: false)
            }
        }
    }
}

extension Occasion {
    /// A program or a person of the owner waits.
    fileprivate var isOwners: Bool {
        switch self {
        case .request, .demand: true
        case .background, .foreign: false
        }
    }
}
