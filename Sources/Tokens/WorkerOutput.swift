import Logging
import PlainText
import Synchronization

/// What a module prints. It is told to the operator in few and harmless lines: modules are talkative, and some print
/// what they were given.
final class WorkerOutput: Sendable {
    private let module: String
    private let log: Logger
    private let state = Mutex(State())

    private struct State {
        var line: [UInt8] = []
        var told = 0
    }

    /// Lines of one worker that are told; the rest is dropped. A module that floods its output costs nothing more.
    private static let lines = 100
    private static let longestLine = 512

    init(module: String, log: Logger) {
        self.module = module
        self.log = log
    }

    func note(_ bytes: [UInt8]) {
        let lines: [String] = state.withLock { state in
            var lines: [String] = []
            for byte in bytes {
                guard byte == UInt8(ascii: "\n") else {
                    if state.line.count < Self.longestLine { state.line.append(byte) }
                    continue
                }
                defer { state.line.removeAll(keepingCapacity: true) }
                guard !state.line.isEmpty, state.told <= Self.lines else { continue }
                state.told += 1
                lines.append(
                    state.told > Self.lines
                        ? "(more output is not shown)"
                        : PlainText.terminal(String(decoding: state.line, as: UTF8.self)))
            }
            return lines
        }
        // A module that traces its calls prints PINs (pkcs11-spy does), so this is told to those alone who ask for it.
        for line in lines { log.debug("module output", metadata: ["module": "\(module)", "line": "\(line)"]) }
    }
}
