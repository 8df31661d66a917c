import NIOCore
import Synchronization

/// The audit log of all listeners: lines that are alike are counted together, whichever thread has brought them.
final class AuditLog: Sendable {
    private struct State {
        var tally: AuditTally
        /// Whether a timer runs for the lines that are only counted.
        var isTimed = false
    }

    private let state: Mutex<State>
    private let eventLoop: any EventLoop
    private let write: @Sendable (AuditRecord) -> Void

    /// - Parameters:
    ///   - eventLoop: Has the timer.
    ///   - write: Called on any thread, so it must not wait.
    init(milliseconds: Int64, eventLoop: any EventLoop, write: @escaping @Sendable (AuditRecord) -> Void) {
        state = Mutex(State(tally: AuditTally(milliseconds: milliseconds)))
        self.eventLoop = eventLoop
        self.write = write
    }

    /// Writes a decision down, or counts it.
    func note(_ record: AuditRecord, as kind: AuditTally.Kind) {
        let (line, due) = state.withLock { state in
            let line = state.tally.note(record, as: kind, at: .now())
            guard !state.isTimed else { return (line, nil as NIODeadline?) }
            state.isTimed = true
            return (line, state.tally.nextDue)
        }
        if let line { write(line) }
        if let due { writeDue(at: due) }
    }

    private func writeDue(at due: NIODeadline) {
        eventLoop.scheduleTask(deadline: due) { [self] in
            let (lines, next) = state.withLock { state in
                let lines = state.tally.due(at: .now())
                state.isTimed = state.tally.nextDue != nil
                return (lines, state.tally.nextDue)
            }
            lines.forEach(write)
            if let next { writeDue(at: next) }
        }
    }

    /// Writes down what was only counted: the last thing to be called.
    func writeRest() { state.withLock { $0.tally.rest() }.forEach(write) }
}
