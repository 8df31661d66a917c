import Glibc
import PCSC
import Synchronization
import TokenService

/// The one thread that waits for pcscd, and the requests that wait for what it sees.
final class ReaderWatch: Sendable {
    private let channel: AgentChannel
    private let reports = Mutex(ReaderReports())

    init(channel: AgentChannel) { self.channel = channel }

    /// Answers when there is a report of another version; or after a while the same one.
    func answer(_ number: UInt32, after version: UInt64) {
        let report = reports.withLock { $0.ask(number, after: version) }
        if let report { channel.send(.readers(report), to: number) }
    }

    /// The readers at this moment, and the programs that may hold those that are held.
    func now() -> ReaderReport {
        // A context of its own: the other one waits. Why there is none, the thread finds out.
        guard let readers = try? ReaderContext().readers() else { return reports.withLock { $0.latest } }
        let holders = readers.contains(where: \.isExclusive) ? CardHolders.candidates() : []
        return reports.withLock { $0.now(readers, holders: holders) }
    }

    /// Runs for as long as the process.
    func run() {
        while true {
            do throws(PCSCError) {
                let context = try ReaderContext()
                reports.withLock { $0.noteConnection() }
                while true {
                    let readers = try context.readers()
                    tell(reports.withLock { $0.note(readers) })
                    try context.wait(from: readers, milliseconds: ReaderReports.patience)
                }
            } catch {
                var cause = PCSCService.probe()
                if cause == .refused {  // or it is just ending, and closes its sockets one by one
                    usleep(100_000)
                    cause = PCSCService.probe()
                }
                let (answer, pause) = reports.withLock { $0.noteLoss(cause) }
                tell(answer)
                usleep(pause * 1000)
            }
        }
    }

    private func tell(_ answer: ReaderReports.Answer) {
        for number in answer.numbers { channel.send(.readers(answer.report), to: number) }
    }
}
