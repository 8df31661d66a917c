import Dispatch
import Files
import Testing

struct OwnThreadTests {
    @Test("A call that hangs holds up no other, however many hang")
    func hanging() async {
        let release = DispatchSemaphore(value: 0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<32 { group.addTask { await onOwnThread { release.wait() } } }
            #expect(await onOwnThread { 1 } == 1)
            for _ in 0..<32 { release.signal() }
        }
    }

    @Test("Nothing is waited for longer than the limit")
    func limit() async {
        let release = DispatchSemaphore(value: 0)
        #expect(await onOwnThread(within: .milliseconds(50)) { release.wait() } == nil)
        release.signal()
        #expect(await onOwnThread(within: .seconds(60)) { 1 } == 1)
    }
}
