import DequeModule
import Synchronization

/// Some places, and the flows that wait for one: each flow in turn gets the next place, and within a flow the request that
/// came first. A flow with a hundred requests waits behind one request of each other flow, and no flow waits behind a hundred.
final class TurnQueue<Flow: Hashable & Sendable>: Sendable {
    private let state: Mutex<State>

    private struct State {
        var free: Int
        var waiting: [Flow: Deque<CheckedContinuation<Void, Never>>] = [:]
        /// The flows that wait, the next one first.
        var order: Deque<Flow> = []

        /// A place is free only while none waits.
        mutating func take() -> Bool {
            guard free > 0 else { return false }
            free -= 1
            return true
        }

        mutating func wait(_ flow: Flow, _ continuation: CheckedContinuation<Void, Never>) {
            if waiting[flow] == nil { order.append(flow) }
            waiting[flow, default: []].append(continuation)
        }

        /// - Returns: Who gets the place.
        mutating func giveBack() -> CheckedContinuation<Void, Never>? {
            guard let flow = order.popFirst() else {
                free += 1
                return nil
            }
            let next = waiting[flow]?.popFirst()
            if waiting[flow]?.isEmpty == false { order.append(flow) } else { waiting[flow] = nil }
            return next
        }
    }

    init(places: Int) { state = Mutex(State(free: places)) }

    /// Waits for a place, which `leave` gives back.
    nonisolated(nonsending) func enter(_ flow: Flow) async {
        guard !state.withLock({ $0.take() }) else { return }
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.take() { return true }  // given back since
                state.wait(flow, continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    var waiters: Int { state.withLock { $0.waiting.values.reduce(0) { $0 + $1.count } } }

    func leave() { state.withLock { $0.giveBack() }?.resume() }
}
