import Glibc
private import NIOPosix
import Synchronization
import SystemPackage

/// Lines on their way to a descriptor that may stall. Logging never waits: lines that find no place are counted,
/// and the count is said once there is place again. A quarter of the places is for vital lines, such as warnings and
/// refusals, so that others do not crowd them out.
package final class LogQueue: Sendable {
    private struct State {
        var waiting: [@Sendable () -> String] = []
        var isWriting = false
        var dropped = 0
    }

    private let state = Mutex(State())
    private let descriptor: CInt
    private let capacity: Int
    private let droppedLine: @Sendable (Int) -> String
    private let thread = NIOThreadPool(numberOfThreads: 1)

    /// How long a line may wait for others, in microseconds: a busy agent then wakes the writer 500 times a second, not
    /// with each answer.
    private static let pause: UInt32 = 2000

    /// - Parameters:
    ///   - descriptor: Where lines are written; stays the caller's.
    ///   - capacity: How many lines may wait.
    ///   - droppedLine: The line that says how many were lost.
    package init(
        descriptor: CInt, capacity: Int = 16_384,
        droppedLine: @escaping @Sendable (Int) -> String = { "\($0) log lines lost: the log did not keep up\n" }
    ) {
        self.descriptor = descriptor
        self.capacity = capacity
        self.droppedLine = droppedLine
        thread.start()
    }

    /// Appends a line, or drops it when the queue is full.
    ///
    /// - Parameter line: Called on the writing thread; gives a line with its end.
    package func append(isVital: Bool = false, _ line: @escaping @Sendable () -> String) {
        let mustStart = state.withLock { state in
            guard state.waiting.count < (isVital ? capacity : capacity - capacity / 4) else {
                state.dropped += 1
                return false
            }
            state.waiting.append(line)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustStart { thread.submit { _ in self.drain() } }
    }

    /// Writes what waits, for as long as the descriptor takes it, and ends the thread. Later lines go nowhere.
    ///
    /// - Parameter milliseconds: How long a stalled descriptor may hold the process.
    package func close(within milliseconds: Int) async {
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        while state.withLock({ $0.isWriting }), ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(2))  // cancelled: then at once
            if Task.isCancelled { break }
        }
        thread.shutdownGracefully { _ in }  // it fails only when called twice
    }

    private func drain() {
        while true {
            usleep(Self.pause)
            let (lines, dropped) = state.withLock { state in
                defer { (state.waiting, state.dropped) = ([], 0) }
                state.isWriting = !state.waiting.isEmpty || state.dropped > 0
                return (state.waiting, state.dropped)
            }
            guard !lines.isEmpty || dropped > 0 else { return }
            var bytes = lines.reduce(into: [UInt8]()) { $0 += $1().utf8 }
            if dropped > 0 { bytes += droppedLine(dropped).utf8 }
            write(bytes)
        }
    }

    private func write(_ bytes: [UInt8]) {
        let log = FileDescriptor(rawValue: descriptor)
        unsafe bytes.withUnsafeBytes { bytes in
            var rest = unsafe bytes[...]
            while unsafe !rest.isEmpty {
                do {
                    unsafe rest = rest.dropFirst(try log.write(UnsafeRawBufferPointer(rebasing: rest)))
                } catch Errno.resourceTemporarilyUnavailable {
                    var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    unsafe poll(&ready, 1, -1)
                } catch {
                    return  // the log is gone, and with it the place to report that
                }
            }
        }
    }
}
