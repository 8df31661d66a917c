import CLinux
import Dispatch
import Glibc

/// Signals as values, from the moment that this exists.
///
/// A handler and a pipe, because Dispatch's own signal sources lose some while the main thread waits in dispatch_main:
/// 8 SIGTERM of 1000 to an idle agent (Swift 6.3, Linux).
struct SignalStream {
    let stream: AsyncStream<Int32>
    private let source: any DispatchSourceRead

    init(_ signals: [Int32]) throws(Failure) {
        let descriptor = unsafe clinux_catch_signals(signals, signals.count)
        guard descriptor >= 0 else { throw Failure(.software, "signals cannot be caught: errno \(-descriptor)") }
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        self.stream = stream
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: DispatchQueue(label: "signals"))
        source.setEventHandler {
            var number: UInt8 = 0
            while unsafe read(descriptor, &number, 1) == 1 { continuation.yield(Int32(number)) }
        }
        source.resume()
    }
}
