import AgentAPI
import Foundation
import Logging
import Testing

@testable import Agent

@Suite struct AuditTests {
    /// A pipe whose reading end the test empties when it likes.
    private final class Pipe: Sendable {
        let reading: CInt
        let writing: CInt

        init(isNonBlocking: Bool = false) throws {
            var ends: [CInt] = [0, 0]
            try unsafe #require(pipe(&ends) == 0)
            (reading, writing) = (ends[0], ends[1])
            if isNonBlocking { _ = fcntl(writing, F_SETFL, O_NONBLOCK) }
        }

        deinit { close(reading) }

        /// Everything until the writing end is closed.
        func all() async throws -> [String] {
            try await ServerTestClient.offThePool { [reading] in
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 65_536)
                while true {
                    let count = unsafe read(reading, &buffer, buffer.count)
                    guard count > 0 else { break }
                    bytes += buffer.prefix(count)
                }
                return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
            }
        }
    }

    private static func lines(
        style: AgentLogHandler.Style, _ body: (AgentLogHandler) -> Void
    ) async throws -> [String] {
        let pipe = try Pipe()
        let queue = LogQueue(descriptor: pipe.writing)
        body(AgentLogHandler(queue: queue, style: style, now: { 1_700_000_000 }))
        await queue.close(within: 20_000)
        close(pipe.writing)
        return try await pipe.all()
    }

    @Test(
        "A line has its level as the journal or a person wants it",
        arguments: [
            (.debug, "<7>text", "debug: text"), (.info, "<6>text", "info: text"),
            (.notice, "<5>text", "notice: text"), (.warning, "<4>text", "warning: text"),
            (.error, "<3>text", "error: text"), (.critical, "<2>text", "critical: text"),
        ] as [(Logger.Level, String, String)])
    func levels(level: Logger.Level, journal: String, plain: String) async throws {
        let log = { (handler: AgentLogHandler) in
            var logger = Logger(label: "test", factory: { _ in handler })
            logger.logLevel = .debug
            logger.log(level: level, "text")
        }
        #expect(try await Self.lines(style: .journal, log) == [journal])
        #expect(try await Self.lines(style: .plain, log) == ["2023-11-14T22:13:20Z \(plain)"])
    }

    @Test(
        "One message is one line, and moves no cursor",
        arguments: [
            ("a\nb", "a\\u{a}b"), ("a\r\u{1b}[2Jb\u{7f}", "a\\u{d}\\u{1b}[2Jb\\u{7f}"), ("\0", "\\u{0}"),
            ("\u{9b}31m", "\\u{9b}31m"), ("\u{202e}x\u{2028}", "\\u{202e}x\\u{2028}"), ("é🔑", "é🔑"),
            (String(repeating: "x", count: 9000), String(repeating: "x", count: 8192) + "…"),
        ])
    func escaped(text: String, line: String) async throws {
        let lines = try await Self.lines(style: .journal) { handler in
            Logger(label: "test", factory: { _ in handler }).info("\(text)")
        }
        #expect(lines == ["<6>" + line])
    }

    @Test("Metadata follow the message, sorted") func metadata() async throws {
        let lines = try await Self.lines(style: .journal) { handler in
            var logger = Logger(label: "test", factory: { _ in handler })
            logger[metadataKey: "b"] = "1"
            logger.info("text", metadata: ["a": "x\ny"])
        }
        #expect(lines == ["<6>text a=\"x\\u{a}y\" b=1"])
    }

    @Test(
        "A value is one word, or stands in quotes: it cannot be taken for more than one field",
        arguments: [
            ("demo", "demo"), ("pkcs11:token=a;object=b", "pkcs11:token=a;object=b"), ("", #""""#), ("a b", #""a b""#),
            (#"x" audit decision=allow uid=0 y=""#, #""x\" audit decision=allow uid=0 y=\"""#),
            (#"x\"#, #""x\\""#), (#"x\" uid=0"#, #""x\\\" uid=0""#), (#"\u{a}"#, #""\\u{a}""#),
            ("é🔑", #""é🔑""#), ("a\tb", #""a\u{9}b""#), ("a\u{202e}b", #""a\u{202e}b""#),
            (String(repeating: "x", count: 1025), "\"" + String(repeating: "x", count: 1024) + "…\""),
        ])
    func field(value: String, text: String) async throws {
        let lines = try await Self.lines(style: .journal) { handler in
            Logger(label: "test", factory: { _ in handler }).info("text", metadata: ["a": "\(value)", "b": "1"])
        }
        #expect(lines == ["<6>text a=\(text) b=1"])
        let record = AuditRecord(
            peer: Peer(uid: 1, gid: 2, pid: 3), route: nil, decision: .deny(reason: value), status: 403)
        let audited = try await Self.lines(style: .journal) { $0.append(.info) { "\(record)" } }
        #expect(audited == ["<6>audit decision=deny reason=\(text) uid=1 gid=2 pid=3 status=403"])
    }

    @Test(
        "The journal's style is taken when standard error goes there",
        arguments: [([:], false), (["JOURNAL_STREAM": ""], false), (["JOURNAL_STREAM": "8:1"], true)])
    func style(environment: [String: String], isJournal: Bool) {
        #expect((AgentLogHandler.Style(environment: environment) == .journal) == isJournal)
    }

    @Test("A log that stalls holds up no request; lost lines are counted and said", arguments: [false, true])
    func stalled(isNonBlocking: Bool) async throws {
        let pipe = try Pipe(isNonBlocking: isNonBlocking)
        let queue = LogQueue(descriptor: pipe.writing, capacity: 100) { "lost \($0)\n" }
        let line = String(repeating: "x", count: 1023) + "\n"
        // More than a pipe (64 KiB) and the queue hold, with nobody reading.
        for _ in 1...1000 { queue.append { line } }
        async let read = pipe.all()
        await queue.close(within: 20_000)
        close(pipe.writing)
        let lines = try await read
        let written = lines.count { $0 + "\n" == line }
        let lost = lines.compactMap { $0.hasPrefix("lost ") ? Int($0.dropFirst(5)) : nil }.reduce(0, +)
        #expect(written + lost == 1000)
        #expect(lost > 0)
        #expect(written >= 75)
    }

    @Test("Lines that are not vital leave room for those that are") func vital() async throws {
        let pipe = try Pipe()
        let queue = LogQueue(descriptor: pipe.writing, capacity: 100) { "lost \($0)\n" }
        let line = String(repeating: "x", count: 1023) + "\n"
        // More than a pipe (64 KiB) and the queue hold, with nobody reading.
        for _ in 1...1000 { queue.append { line } }
        for _ in 1...20 { queue.append(isVital: true) { "vital\n" } }
        async let read = pipe.all()
        await queue.close(within: 20_000)
        close(pipe.writing)
        #expect(try await read.count { $0 == "vital" } == 20)
    }

    @Test("A log without a reader does not end the agent") func broken() async throws {
        signal(SIGPIPE, SIG_IGN)
        let writing: CInt
        do {
            let pipe = try Pipe()
            writing = pipe.writing
        }
        let queue = LogQueue(descriptor: writing)
        queue.append { "line\n" }
        await queue.close(within: 20_000)
        close(writing)
    }

    @Test("An audit line tells who, what, why and which key, and never a secret") func record() {
        let record = AuditRecord(
            peer: Peer(uid: 1, gid: 2, pid: 3), route: .credentials, profile: ProfileName("prod"),
            decision: .allow(reason: "user 1 is listed"), status: 200,
            issued: .init(accessKeyID: "ASIAEXAMPLE", expiration: 1_700_000_000))
        #expect(
            record.description == """
                audit decision=allow reason="user 1 is listed" uid=1 gid=2 pid=3 route=credentials profile=prod \
                status=200 access-key-id=ASIAEXAMPLE expiration=2023-11-14T22:13:20Z
                """)
    }

    @Test("A refusal's audit line tells the reason") func refusal() {
        let record = AuditRecord(
            peer: Peer(uid: 1, gid: 2, pid: 3), route: nil, decision: .deny(reason: "no profile allows uid 1"),
            status: 403, problem: .forbidden)
        #expect(
            record.description == """
                audit decision=deny reason="no profile allows uid 1" uid=1 gid=2 pid=3 status=403 problem=forbidden
                """)
    }

    @Test("An attack's audit line is a warning, and tells the number of the process") func attack() {
        let record = AuditRecord(
            peer: Peer(uid: 1, gid: 2, pid: 3), route: nil, decision: .deny(reason: "process 3 is a worker"),
            status: 403, problem: .forbidden, isAttack: true)
        #expect(record.level == .warning)
        #expect(record.description.hasPrefix("audit attack=yes decision=deny reason=\"process 3 is a worker\" uid=1 "))
    }

    @Test("Issued credentials print as nothing") func redacted() {
        let issued = IssuedCredentials(json: Array("SECRET".utf8), endpointJSON: [], accessKeyID: "A", expiration: 0)
        var dumped = ""
        dump(issued, to: &dumped)
        for text in ["\(issued)", String(reflecting: issued), dumped] { #expect(!text.contains("83")) }
        #expect("\(issued)" == "‹redacted›")
    }
}
