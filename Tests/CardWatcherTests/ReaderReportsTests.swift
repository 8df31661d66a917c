import PCSC
import Testing
import TokenService

@testable import CardWatcher

/// The SCARD_STATE flags by their numbers in pcsclite.h.
private enum State {
    static let changed: UInt32 = 0x2
    static let unknown: UInt32 = 0x4
    static let unavailable: UInt32 = 0x8
    static let empty: UInt32 = 0x10
    static let present: UInt32 = 0x20
    static let exclusive: UInt32 = 0x80
    static let inUse: UInt32 = 0x100
    static let mute: UInt32 = 0x200
}

/// As SCardGetStatusChange tells of it: pcsc-lite counts insertions and removals in the upper half of dwEventState.
private func reader(_ name: String, _ state: UInt32, events: UInt32 = 0) -> Reader {
    Reader(name: Array(name.utf8), state: events << 16 | state)
}

private func reader(_ state: UInt32, events: UInt32 = 0) -> Reader { reader("Reader 0", state, events: events) }

@Suite("What the watcher reports")
struct ReaderReportsTests {
    /// One that is connected and has seen these.
    private static func connected(_ readers: [Reader] = []) -> ReaderReports {
        var reports = ReaderReports()
        reports.noteConnection()
        _ = reports.note(readers)
        return reports
    }

    @Test("There is no report before the first look, and then it is version 1") func first() {
        var reports = ReaderReports()
        #expect(reports.ask(1, after: 0) == nil)
        reports.noteConnection()
        let answer = reports.note([reader(State.present, events: 1)])
        #expect(answer.numbers == [1] && answer.report.version == 1)
        #expect(answer.report.service == .reachable(connection: 1))
        #expect(
            answer.report.readers == [CardReader(name: "Reader 0", card: .present, events: 1, isExclusive: false)])
    }

    @Test("A request for a later version is answered at once where there is one, and else waits") func asks() {
        var reports = Self.connected([reader(State.empty)])
        #expect(reports.ask(1, after: 0)?.version == 1)
        #expect(reports.ask(2, after: 1) == nil)
        #expect(reports.ask(3, after: 1) == nil)
        let answer = reports.note([reader(State.present, events: 1)])
        #expect(answer.numbers == [2, 3] && answer.report.version == 2)
        #expect(reports.note([reader(State.present, events: 1)]).numbers.isEmpty, "each is answered once")
    }

    @Test("A wait that ends without news answers with the report that stands") func heartbeat() {
        var reports = Self.connected([reader(State.empty)])
        #expect(reports.ask(9, after: 1) == nil)
        let answer = reports.note([reader(State.empty)])
        #expect(answer.numbers == [9] && answer.report.version == 1)
    }

    @Test("A watcher answers within 20 seconds, which is less than the 30 after which the agent ends it")
    func patience() {
        #expect(ReaderReports.patience == 20_000)
    }

    @Test(
        "A card that comes, goes, falls silent or is taken by one program is news; one that is only used is not",
        arguments: [
            (State.empty, State.present, 1, true), (State.present, State.empty, 1, true),
            (State.present, State.present | State.mute, 0, true),
            (State.present, State.present | State.exclusive, 0, true),
            (State.present, State.present | State.inUse, 0, false),
            (State.present, State.present | State.changed, 0, false),
            (State.present, State.present, 2, true), (State.empty, State.empty, 2, true),
            (State.empty, State.unavailable, 0, true), (State.empty, State.unknown, 0, true),
        ] as [(UInt32, UInt32, UInt32, Bool)])
    func news(before: UInt32, after: UInt32, events: UInt32, isNews: Bool) {
        var reports = Self.connected([reader(before)])
        #expect((reports.note([reader(after, events: events)]).report.version == 2) == isNews)
    }

    @Test("A reader that is plugged in or unplugged is news") func plugged() {
        var reports = Self.connected()
        #expect(reports.note([reader("A", State.empty)]).report.version == 2)
        #expect(reports.note([reader("A", State.empty), reader("B", State.empty)]).report.version == 3)
        #expect(reports.note([reader("B", State.empty)]).report.version == 4)
        #expect(reports.note([reader("B", State.empty)]).report.version == 4)
    }

    @Test("Names from devices are told without control characters") func names() {
        let reports = Self.connected([Reader(name: Array("A\u{1B}[2J\u{7F}\n".utf8), state: State.empty)])
        #expect(reports.latest.readers.map(\.name) == ["A?[2J??"])
    }

    @Test("A report asked for at once is of this moment, and names who may hold what is held exclusively") func now() {
        let reports = Self.connected([reader("A", State.present), reader("B", State.present)])
        let now = reports.now(
            [reader("A", State.present | State.exclusive), reader("B", State.present)], holders: ["gpg (process 7)"])
        #expect(now.version == 1 && now.readers.map(\.isExclusive) == [true, false])
        #expect(now.readers.map(\.holders) == [["gpg (process 7)"], []])
        #expect(reports.latest.readers.map(\.isExclusive) == [false, false])
    }
}

@Suite("How often a card has gone")
struct RemovalTests {
    private static func removals(_ looks: [[Reader]]) -> [String: UInt32] {
        var reports = ReaderReports()
        reports.noteConnection()
        for look in looks { _ = reports.note(look) }
        return Dictionary(uniqueKeysWithValues: reports.latest.readers.map { ($0.name, $0.removals) })
    }

    @Test(
        "A card counts as gone when it is, when its reader is, and when it was away between two looks",
        arguments: [
            ([(State.present, 1), (State.present, 1)], 0),
            ([(State.present, 1), (State.empty, 2)], 1),
            ([(State.present, 1), (State.present, 3)], 1),
            ([(State.present, 1), (State.present | State.mute, 1)], 0),
            ([(State.present | State.mute, 1), (State.empty, 2)], 1),
            ([(State.present, 1), (State.present | State.exclusive, 1)], 0),
            ([(State.empty, 2), (State.present, 3)], 0),
            ([(State.empty, 0), (State.empty, 2)], 0),
            ([(State.present, 1), (State.unavailable, 1)], 0),
            ([(State.unavailable, 1), (State.empty, 2)], 1),
            ([(State.present, 1), (State.empty, 2), (State.present, 3), (State.present, 5)], 2),
        ] as [([(UInt32, UInt32)], UInt32)])
    func gone(looks: [(UInt32, UInt32)], removals: UInt32) {
        #expect(Self.removals(looks.map { [reader("A", $0.0, events: $0.1)] }) == ["A": removals])
    }

    @Test("pcscd's count of 16 bits begins again at zero, and a card that was away then is missed no less") func wraps()
    {
        #expect(Self.removals([[reader("A", State.present, events: 0xFFFF)], [reader("A", State.empty)]]) == ["A": 1])
        #expect(
            Self.removals([[reader("A", State.present, events: 0xFFFF)], [reader("A", State.present, events: 1)]])
                == ["A": 1])
        let steps = (0xFFFC...0x1_0004 as ClosedRange<UInt32>).map { event in
            [reader("A", event % 2 == 0 ? State.empty : State.present, events: event & 0xFFFF)]
        }
        #expect(Self.removals(steps) == ["A": 4])
    }

    @Test("A USB token that is pulled and put back looks as before, and has the count that it left with, and one more")
    func usbToken() {
        let token = [reader("YubiKey", State.present)]
        #expect(Self.removals([token, [], token]) == ["YubiKey": 1])
        #expect(Self.removals([token, [], token, [], [], token]) == ["YubiKey": 2])
    }

    @Test("A reader without a card loses none when it is unplugged") func emptyReader() {
        #expect(Self.removals([[reader("A", State.empty)], [], [reader("A", State.empty)]]) == ["A": 0])
    }

    @Test("Readers count on their own") func apart() {
        let looks = [
            [reader("A", State.present), reader("B", State.present)],
            [reader("A", State.empty, events: 1), reader("B", State.present)],
        ]
        #expect(Self.removals(looks) == ["A": 1, "B": 0])
    }

    @Test("Devices that come under ever new names do not fill the memory") func bounded() {
        var reports = ReaderReports()
        for number in 0..<3000 { _ = reports.note([reader("\(number)", State.present)]) }
        let looks = (0..<3000).map { reader("\($0)", State.empty) }
        #expect(reports.now(looks, holders: []).readers.filter { $0.removals > 0 }.count <= 1025)
    }
}

@Suite("pcscd, when it goes and comes back")
struct ConnectionTests {
    @Test("A loss is a report without readers, and takes the cards with it") func loss() {
        var reports = ReaderReports()
        reports.noteConnection()
        _ = reports.note([reader("A", State.present, events: 4)])
        #expect(reports.ask(5, after: 1) == nil)
        let (answer, _) = reports.noteLoss(.stopped)
        #expect(answer.numbers == [5])
        #expect(answer.report == ReaderReport(version: 2, service: .unreachable(.stopped), readers: []))
        reports.noteConnection()
        let back = reports.note([reader("A", State.present)]).report  // a new pcscd counts from zero
        #expect(back.version == 3 && back.service == .reachable(connection: 2))
        #expect(back.readers.map(\.removals) == [1])
    }

    @Test("The same cause is told once; another is another report") func same() {
        var reports = ReaderReports()
        #expect(reports.noteLoss(.notRunning).answer.report.version == 1)
        #expect(reports.noteLoss(.notRunning).answer.report.version == 1)
        #expect(reports.noteLoss(.forbidden).answer.report.version == 2)
    }

    @Test("A socket that is not there is tried for each 0.8 seconds, and a refusal, which pcscd logs, each 30")
    func pauses() {
        var reports = ReaderReports()
        #expect((0..<6).map { _ in reports.noteLoss(.notRunning).pause } == [100, 200, 400, 800, 800, 800])
        reports.noteConnection()
        let refused = (0..<10).map { _ in reports.noteLoss(.refused).pause }
        #expect(refused == [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000])
        reports.noteConnection()
        #expect(reports.noteLoss(.stopped).pause == 100)
    }
}
