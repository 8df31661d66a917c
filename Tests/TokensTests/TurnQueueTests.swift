import Synchronization
import Testing

@testable import Tokens

struct TurnQueueTests {
    @Test("Who has many requests waits in turn with who has one")
    func turns() async {
        let queue = TurnQueue<String>(places: 1)
        await queue.enter("first")
        let served = Record<[String]>([])
        await withTaskGroup { group in
            for flow in ["many", "many", "many", "one", "two", "two"] {
                let before = queue.waiters
                group.addTask {
                    await queue.enter(flow)
                    served.value.withLock { $0.append(flow) }
                    queue.leave()
                }
                while queue.waiters == before { await Task.yield() }
            }
            queue.leave()
        }
        #expect(served.value.withLock { $0 } == ["many", "one", "two", "many", "two", "many"])
    }

    @Test("No more are let in than there are places, and all come to an end", arguments: [1, 2, 7])
    func places(_ count: Int) async {
        let queue = TurnQueue<Int>(places: count)
        let inside = Record((now: 0, most: 0))
        await withTaskGroup { group in
            for request in 0..<200 {
                group.addTask {
                    await queue.enter(request % 5)
                    inside.value.withLock {
                        $0.now += 1
                        $0.most = max($0.most, $0.now)
                    }
                    await Task.yield()
                    inside.value.withLock { $0.now -= 1 }
                    queue.leave()
                }
            }
        }
        let (now, most) = inside.value.withLock { $0 }
        #expect(now == 0)
        #expect(most <= count)
        #expect(queue.waiters == 0)
    }
}

private final class Record<Value: Sendable>: Sendable {
    let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
}
