package import PCSC
import PlainText
package import TokenService

/// What the watcher has seen of card readers and told of them: the report that stands, the requests that wait for another
/// one, and how often cards have gone. It makes no call.
package struct ReaderReports {
    private var report = ReaderReport(version: 0, service: .unreachable(.silent), readers: [])
    private var waiting: [UInt32] = []
    private var last: [CardReader] = []
    /// How often cards have gone, by the reader that they were in.
    ///
    /// pcscd's own count begins again with each reader, and a USB token is a reader and its card in one: pulled and put back
    /// it looks as before. Who sees the one report and misses the next must be able to tell.
    private var removals: [String: UInt32] = [:]
    private var connection: UInt32 = 0
    private var pause = Self.shortestPause

    /// After this time a wait ends without news, in milliseconds, so that the agent knows that this process and pcscd live.
    package static let patience: UInt32 = 20_000
    private static let shortestPause: UInt32 = 100
    /// Names come from devices.
    private static let mostRemovals = 1024

    package init() {}

    // MARK: Requests

    /// A request for a report of another version than this one.
    ///
    /// - Returns: The report, where there is one; else the request waits, and `Answer` names it.
    package mutating func ask(_ number: UInt32, after version: UInt64) -> ReaderReport? {
        guard report.version == version else { return report }
        waiting.append(number)
        return nil
    }

    /// The readers at this moment, beside the report that stands.
    ///
    /// - Parameter holders: The programs that may hold those that are held.
    package func now(_ readers: [Reader], holders: [String]) -> ReaderReport {
        var report = report
        report.readers = counted(readers.map(CardReader.init))
        for index in report.readers.indices where report.readers[index].isExclusive {
            report.readers[index].holders = holders
        }
        return report
    }

    /// The last report.
    package var latest: ReaderReport { report }

    // MARK: What pcscd says

    /// A report, and the requests that it answers: all that wait, whether there is news or not.
    package struct Answer: Hashable {
        package let report: ReaderReport
        package let numbers: [UInt32]
    }

    /// pcscd has taken a connection.
    package mutating func noteConnection() {
        connection &+= 1
        pause = Self.shortestPause
    }

    /// A look at the readers.
    package mutating func note(_ readers: [Reader]) -> Answer {
        note(.reachable(connection: connection), readers.map(CardReader.init))
    }

    /// The connection is lost, or there is none to be had.
    ///
    /// - Returns: What to tell, and when to try again, in milliseconds.
    package mutating func noteLoss(_ cause: ServiceFailure) -> (answer: Answer, pause: UInt32) {
        defer {
            // A refusal is a line in pcscd's log each time; a socket that is not there costs nothing.
            pause = min(pause * 2, cause == .refused ? 30_000 : 800)
        }
        return (note(.unreachable(cause), []), pause)
    }

    private mutating func note(_ service: ReaderReport.Service, _ seen: [CardReader]) -> Answer {
        countRemovals(seen)
        let readers = counted(seen)
        if report.version == 0 || report.service != service || report.readers != readers {
            report = ReaderReport(version: report.version + 1, service: service, readers: readers)
        }
        defer { waiting = [] }
        return Answer(report: report, numbers: waiting)
    }

    // MARK: Removals

    /// A card that is not there any more has gone; so has one that has come or gone since, as pcscd's count tells.
    private mutating func countRemovals(_ seen: [CardReader]) {
        if removals.count > Self.mostRemovals { removals = [:] }
        for reader in last where reader.card != .absent {
            let stays = seen.contains { $0.name == reader.name && $0.events == reader.events && $0.card != .absent }
            if !stays { removals[reader.name, default: 0] &+= 1 }
        }
        last = seen
    }

    private func counted(_ readers: [CardReader]) -> [CardReader] {
        readers.map { reader in
            var reader = reader
            reader.removals = removals[reader.name] ?? 0
            return reader
        }
    }
}

extension CardReader {
    fileprivate init(_ reader: Reader) {
        self.init(
            name: PlainText.terminal(String(decoding: reader.name, as: UTF8.self)), card: reader.card,
            events: reader.events, isExclusive: reader.isExclusive)
    }
}
