import Testing

@testable import Emulator

@Suite("Faults")
struct FaultTests {
    @Test("Every kind can be named on the command line", arguments: Fault.Kind.allCases)
    func named(kind: Fault.Kind) {
        #expect(Fault(argument: kind.rawValue)?.kind == kind)
    }

    @Test("An argument is taken where it means something")
    func arguments() {
        #expect(Fault(argument: "status:429")?.status == 429)
        #expect(Fault(argument: "date-skew:-600")?.seconds == -600)
        #expect(Fault(argument: "delay:3")?.seconds == 3)
        #expect(Fault(argument: "missing-field:expiration")?.field == "expiration")
    }

    @Test("What is no fault is refused", arguments: ["", "flood", "status:99", "status:x", "html:1", "date-skew:"])
    func refused(text: String) {
        #expect(Fault(argument: text) == nil)
    }

    @Test("A fault with a count ends, and one that counts nothing never comes")
    func queue() throws {
        var never = try #require(Fault(argument: "close"))
        never.times = 0
        var twice = try #require(Fault(argument: "html"))
        twice.times = 2
        let forever = try #require(Fault(argument: "hang"))
        var queue = FaultQueue(faults: [never, twice, forever])
        let kinds = (0..<4).map { _ in queue.take(for: .sessions)?.kind }
        #expect(kinds == [.html, .html, .hang, .hang])
        #expect(queue.take(for: .sts)?.kind == nil)
    }

    /// By `gzip.decompress` of python, which took these bytes.
    @Test("A gzip member carries the checksum of its content")
    func gzip() {
        let expected: [UInt8] = [
            0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1, 3, 0, 252, 255, 0x66, 0x6F, 0x6F, 0x21, 0x65, 0x73, 0x8C, 3, 0, 0,
            0,
        ]
        #expect(Gzip.store(Array("foo".utf8)) == expected)
    }
}
