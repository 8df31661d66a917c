import Glibc
import PCSC
import PlainText
import Synchronization
import TokenService

/// The one thread that waits for pcscd, and the requests that wait for what it sees.
final class ReaderWatch: Sendable {
    private let channel: AgentChannel
    private let state = Mutex(State())

    private struct State {
        var report = ReaderReport(version: 0, service: .unreachable(.silent), readers: [])
        var waiting: [UInt32] = []
        var removals = CardRemovals()
    }

    /// After this time a wait ends without news, so that the agent knows that this process and pcscd live.
    private static let patience: UInt32 = 20_000

    init(channel: AgentChannel) { self.channel = channel }

    /// Answers when there is a report of another version; or after a while the same one.
    func answer(_ number: UInt32, after version: UInt64) {
        let report: ReaderReport? = state.withLock { state in
            if state.report.version != version { return state.report }
            state.waiting.append(number)
            return nil
        }
        if let report { channel.send(.readers(report), to: number) }
    }

    /// The readers at this moment, and who may hold those that are held.
    func now() -> ReaderReport {
        var report = state.withLock { $0.report }
        // A context of its own: the other one waits.
        guard let readers = try? ReaderContext().readers() else { return report }  // the thread finds out why
        report.readers = state.withLock { $0.removals.counted(readers.map(CardReader.init)) }
        guard readers.contains(where: \.isExclusive) else { return report }
        let holders = CardHolders.candidates()
        for index in report.readers.indices where report.readers[index].isExclusive {
            report.readers[index].holders = holders
        }
        return report
    }

    /// Runs for as long as the process.
    func run() {
        var connection: UInt32 = 0
        var pause: UInt32 = 100
        while true {
            do throws(PCSCError) {
                let context = try ReaderContext()
                connection += 1
                pause = 100
                while true {
                    let readers = try context.readers()
                    publish(.reachable(connection: connection), readers)
                    try context.wait(from: readers, milliseconds: Self.patience)
                }
            } catch {
                var trouble = PCSCService.probe()
                if trouble == .refused {  // or it is just ending, and closes its sockets one by one
                    usleep(100_000)
                    trouble = PCSCService.probe()
                }
                publish(.unreachable(ServiceTrouble(trouble)), [])
                // A refusal is a line in pcscd's log each time; a socket that is not there costs nobody anything.
                usleep(pause * 1000)
                pause = min(pause * 2, trouble == .refused ? 30_000 : 800)
            }
        }
    }

    private func publish(_ service: ReaderReport.Service, _ readers: [Reader]) {
        let seen = readers.map(CardReader.init)
        let (report, waiting) = state.withLock { state in
            state.removals.note(seen)
            let readers = state.removals.counted(seen)
            if state.report.version == 0 || state.report.service != service || state.report.readers != readers {
                state.report = ReaderReport(version: state.report.version + 1, service: service, readers: readers)
            }
            defer { state.waiting = [] }
            return (state.report, state.waiting)
        }
        for number in waiting { channel.send(.readers(report), to: number) }
    }
}

extension CardReader {
    fileprivate init(_ reader: Reader) {
        let card: Card =
            switch reader.card {
            case .absent: .absent
            case .present: .present
            case .mute: .mute
            case .unavailable: .unavailable
            }
        self.init(
            name: PlainText.terminal(String(decoding: reader.name, as: UTF8.self)), card: card, events: reader.events,
            isExclusive: reader.isExclusive)
    }
}

extension ServiceTrouble {
    fileprivate init(_ trouble: PCSCTrouble) {
        switch trouble {
        case .notRunning: self = .notRunning
        case .stopped: self = .stopped
        case .forbidden: self = .forbidden
        case .refused: self = .refused
        }
    }
}
