import DequeModule

/// Some places, and the flows that wait for one: each flow in turn gets the next place, and within a flow the request that
/// came first. A flow with a hundred requests waits behind one request of each other flow, and no flow waits behind a hundred.
actor TurnQueue<Flow: Hashable & Sendable> {
    private var free: Int
    private var waiting: [Flow: Deque<CheckedContinuation<Void, Never>>] = [:]
    /// The flows that wait, the next one first.
    private var order: Deque<Flow> = []

    init(places: Int) { free = places }

    /// Waits for a place, which `leave` gives back.
    func enter(_ flow: Flow) async {
        guard free == 0 else {  // a place is free only while none waits
            free -= 1
            return
        }
        await withCheckedContinuation { continuation in
            if waiting[flow] == nil { order.append(flow) }
            waiting[flow, default: []].append(continuation)
        }
    }

    var waiters: Int { waiting.values.reduce(0) { $0 + $1.count } }

    func leave() {
        guard let flow = order.popFirst() else {
            free += 1
            return
        }
        let next = waiting[flow]?.popFirst()
        if waiting[flow]?.isEmpty == false { order.append(flow) } else { waiting[flow] = nil }
        next?.resume()
    }
}
