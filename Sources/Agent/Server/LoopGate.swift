import NIOCore
import Synchronization

/// The way back to the event loop for tasks that may outlive it: once closed, what they bring is dropped.
final class LoopGate: Sendable {
    private let eventLoop: Mutex<(any EventLoop)?>

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = Mutex(eventLoop)
    }

    func execute(_ work: @escaping @Sendable () -> Void) {
        eventLoop.withLock { $0?.execute(work) }
    }

    func close() { eventLoop.withLock { $0 = nil } }
}
