import Clocks
import Foundation
import Testing
import TokenService

@testable import Prompts

/// What a pinentry may say, written down before it is asked; a file that ends is a program that dies.
@Suite("What pinentry answers")
struct PinentryDialogueTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let answers: String
        let outcome: String
        var testDescription: String { String(answers.prefix(60)).debugDescription }

        init(_ answers: String, _ outcome: String) {
            self.answers = answers
            self.outcome = outcome
        }
    }

    /// The greeting and the answers to OPTION ttyname, SETTIMEOUT, SETTITLE, SETDESC and SETPROMPT.
    private static let ready = String(repeating: "OK\n", count: 6)
    private static let lines = String(repeating: "# comment\n", count: 100)
    private static let nonsense = "failed: pinentry's answer makes no sense: "

    static let rows = [
        // Data, as Assuan has it: percent escapes, and in as many lines as it likes.
        Row(ready + "D 123456\nOK\n", "PIN 123456"),
        Row(ready + "S STATUS x\n# comment\nD 12\nD 34\nOK closing\n", "PIN 1234"),
        Row(ready + "D a%25b%41%c3%BC\nOK\n", "PIN a%bAü"),
        Row(ready + "D  1 \nOK\n", "PIN  1 "),
        Row(ready + "D \(String(repeating: "7", count: 255))\nOK\n", "PIN " + String(repeating: "7", count: 255)),
        Row("OK Pleased to meet you\nERR 83886254 Unknown option\n" + ready.dropFirst(6) + "D 1\nOK\n", "PIN 1"),
        // libgpg-error's codes: 99 GPG_ERR_CANCELED, 62 GPG_ERR_TIMEOUT, 198 GPG_ERR_FULLY_CANCELED; source 5 is pinentry's.
        Row(ready + "ERR 83886179 Operation cancelled <Pinentry>\n", "declined: the prompt was cancelled"),
        Row(ready + "ERR 99\n", "declined: the prompt was cancelled"),
        Row(ready + "ERR 83886278 fully\n", "declined: the prompt was cancelled"),
        Row(ready + "ERR 83886142 Timeout <Pinentry>\n", "declined: nobody typed it within 7 seconds"),
        // pinentry-gnome3 without a session bus and without a terminal (its version 1.2.1, as it answers on Debian 12).
        Row(
            ready + "S ERROR gnome3.isatty 83918950 \nERR 83918950 Inappropriate ioctl for device <Pinentry>\n",
            "failed: pinentry cannot ask: Inappropriate ioctl for device <Pinentry> (its error 32870): it found no display"
                + " that it can use and no terminal. pinentry-gnome3 needs the session's bus (DBUS_SESSION_BUS_ADDRESS);"
                + " name another program in [prompt], or use a terminal"),
        Row(ready + "ERR 83886340 \n", "failed: pinentry cannot ask: its error 260"),
        Row(ready + "ERR\n", "failed: pinentry cannot ask: its error 0"),
        Row(ready + "ERR 99999999999999999999999999\n", "failed: pinentry cannot ask: its error 58367"),
        Row(ready + "OK\n", "declined: nothing was typed"),
        Row(ready + "D\nOK\n", "\(nonsense)no data and not OK"),
        Row(
            ready + "D 12%0A34\nOK\n",
            "declined: what was typed is no PIN: it has a control character in it, or more than one line"),
        Row(ready + "D 12%4\nOK\n", "declined: what was typed is no PIN: it is longer than 255 bytes"),
        Row(
            ready + "D \(String(repeating: "7", count: 256))\nOK\n",
            "declined: what was typed is no PIN: it is longer than 255 bytes"),
        // What no pinentry says.
        Row("", "failed: pinentry ended without an answer"),
        Row("ERR 1 no\n", "failed: pinentry cannot ask: no (its error 1)"),
        Row("HTTP/1.1 200 OK\n", "\(nonsense)it is not OK"),
        Row("OKAY\n", "\(nonsense)it is not OK"),
        Row("D 1234\nOK\n", "\(nonsense)it is not OK"),
        Row(ready + "D 1234", "failed: pinentry ended without an answer"),
        Row(ready + "D 1234\n", "failed: pinentry ended without an answer"),
        Row(ready + "INQUIRE QUALITY 1\n", "\(nonsense)no data and not OK"),
        Row(lines + ready, "\(nonsense)no end of lines"),
        Row(ready + lines + "D 1\nOK\n", "\(nonsense)no end of lines"),
        Row(ready + String(repeating: "x", count: 1 << 20), "\(nonsense)a line of more than 1000 bytes"),
        Row(ready + "D " + String(repeating: "1", count: 999) + "\n", "\(nonsense)a line of more than 1000 bytes"),
    ]

    @Test("Every answer has one outcome", arguments: rows)
    func outcome(_ row: Row) throws {
        #expect(try Self.ask(answers: row.answers) == row.outcome)
    }

    @Test("A pinentry that says nothing is given up at the deadline")
    func silence() throws {
        let pipe = Pipe()
        let outcome = try Self.ask(
            output: pipe.fileHandleForReading.fileDescriptor, deadline: AgentClock.system.boot() + 30)
        #expect(outcome == "declined: nobody typed it within 7 seconds")
        withExtendedLifetime(pipe) {}
    }

    @Test("A text is escaped, and cut to one line of the protocol")
    func escaping() {
        let line = AssuanLine.command("SETDESC", "a\nb%c\u{7}ü")
        #expect(String(decoding: line, as: UTF8.self) == "SETDESC a%0Ab%25c%07ü\n")
        let long = AssuanLine.command("SETDESC", String(repeating: "ü%", count: 1000))
        #expect(long.count <= 1001 && long.last == UInt8(ascii: "\n"))
        #expect(String(validating: long, as: UTF8.self)?.dropLast().allSatisfy { $0 != "\n" } == true)
    }

    private static func ask(answers: String) throws -> String {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("pinentry-\(UUID())")
        try Data(answers.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }  // what is left is in the temporary folder
        let file = try FileHandle(forReadingFrom: url)
        return try ask(output: file.fileDescriptor, deadline: AgentClock.system.boot() + 20_000)
    }

    private static func ask(output: Int32, deadline: Int64) throws -> String {
        let sink = try #require(FileHandle(forWritingAtPath: "/dev/null"))
        let place = try #require(PromptPlace(header: Array("TTY=/dev/pts/0".utf8)))
        var dialogue = PinentryDialogue(
            input: sink.fileDescriptor, output: output, deadline: deadline, clock: .system)
        let answer = dialogue?.ask(PromptQuestion(description: "d", error: nil), at: place, seconds: 7)
        switch answer {
        case nil: return "no memory"
        case .pin(let held):
            return held.pin.withBytes { bytes in
                "PIN " + String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
            }
        case .declined(let decline): return "declined: \(decline)"
        case .failed(let reason): return "failed: \(reason)"
        }
    }
}
