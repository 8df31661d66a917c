import Testing
import TokenService

@testable import Tokens

@Suite("What has changed in the readers")
struct ReaderChangeTests {
    private static func report(
        _ readers: [(name: String, card: CardReader.Card, events: UInt16)],
        _ service: ReaderReport.Service = .reachable(connection: 1)
    ) -> ReaderReport {
        ReaderReport(
            version: 1, service: service,
            readers: readers.map { CardReader(name: $0.name, card: $0.card, events: $0.events, isExclusive: false) })
    }

    private static let two = report([("A", .present, 1), ("B", .present, 7)])

    @Test("Nothing is a change from nothing")
    func first() {
        let change = ReaderChange(from: nil, to: Self.two)
        #expect(!change.isNewService && !change.hasLostCard && !change.keepsCard)
    }

    @Test(
        "A card that was away is lost, even if there is one again",
        arguments: [
            (report([("A", .present, 1), ("B", .present, 7)]), false, true),
            (report([("A", .absent, 2), ("B", .present, 7)]), true, true),
            (report([("A", .present, 3), ("B", .present, 7)]), true, true),
            (report([("A", .present, 3), ("B", .present, 9)]), true, false),
            (report([("B", .present, 7)]), true, true),
            (report([]), true, false),
            (report([("A", .mute, 1), ("B", .present, 7)]), false, true),
            (report([("C", .present, 1), ("D", .present, 7)]), true, false),
        ])
    func lost(new: ReaderReport, hasLostCard: Bool, keepsCard: Bool) {
        let change = ReaderChange(from: Self.two, to: new)
        #expect(change.hasLostCard == hasLostCard && change.keepsCard == keepsCard && !change.isNewService)
    }

    @Test(
        "A USB token that was pulled and put back between two reports looks the same, and is lost",
        arguments: [(0, 0, false), (0, 1, true), (3, 4, true), (3, 0, false)] as [(UInt32, UInt32, Bool)])
    func pulled(before: UInt32, after: UInt32, hasLostCard: Bool) {
        let reports = [before, after].map { removals in
            var report = Self.report([("YubiKey", .present, 0), ("B", .present, 7)])
            report.readers[0].removals = removals
            return report
        }
        let change = ReaderChange(from: reports[0], to: reports[1])
        #expect(change.hasLostCard == hasLostCard && change.keepsCard && !change.isNewService)
    }

    @Test("A card that comes is none that is lost")
    func comes() {
        let change = ReaderChange(from: Self.report([("A", .absent, 0)]), to: Self.report([("A", .present, 1)]))
        #expect(!change.hasLostCard && !change.keepsCard)
    }

    @Test(
        "Another connection to pcscd is a new service, and so is none",
        arguments: [.reachable(connection: 2), .unreachable(.stopped), .unreachable(.refused)]
            as [ReaderReport.Service])
    func service(new: ReaderReport.Service) {
        #expect(ReaderChange(from: Self.two, to: Self.report([], new)).isNewService)
    }
}
