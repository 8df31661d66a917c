import Testing

@testable import AgentClient

@Suite("What the agent says when it fails")
struct ProblemAnswerTests {
    private func failure(_ body: String) -> ClientFailure {
        ClientFailure(status: 423, body: Array(body.utf8).span)
    }

    @Test("Detail, hint and exit code come from the document")
    func whole() {
        let failure = failure(
            #"{"status":423,"title":"Locked","detail":"token prod needs its PIN","hint":"run 'tokenward unlock'","exit":80}"#
        )
        #expect(failure.detail == "token prod needs its PIN")
        #expect(failure.hint == "run 'tokenward unlock'")
        #expect(failure.exit == .pinNeeded)
    }

    @Test("The title stands in for a detail that is missing, the log for a hint")
    func partial() {
        let failure = failure(#"{"title":"Locked","exit":80}"#)
        #expect(failure.detail == "Locked")
        #expect(failure.hint == "look at the agent's log")
    }

    @Test(
        "An exit code that no table has is a fault of ours",
        arguments: ["0", "1", "71", "100", "-80", "80.0", "8e1", "\"80\"", "null", "[80]", "080"])
    func exit(value: String) {
        #expect(failure("{\"detail\":\"x\",\"exit\":\(value)}").exit == .software)
    }

    @Test("Every code of the table is passed on", arguments: [64, 66, 69, 70, 75, 77, 78, 80, 81] as [Int32])
    func table(code: Int32) {
        #expect(failure("{\"detail\":\"x\",\"exit\":\(code)}").exit.rawValue == code)
    }

    @Test(
        "A body that tells nothing still ends in a failure of code 70",
        arguments: ["", "<html>", "{}", "{\"detail\":\"\"}", "{\"detail\":7}", "{\"detail\":\"x\"", "[]", "\u{0}"])
    func garbage(body: String) {
        #expect(failure(body).exit == .software)
        #expect(failure(body).detail.hasPrefix("the agent's answer makes no sense"))
    }

    @Test("The line is one line of at most 1 KiB, whatever the agent sends")
    func line() {
        let detail = String(repeating: "\\u001b]0;é\\n", count: 400)
        let line = CredentialClient.line(failure("{\"detail\":\"\(detail)\",\"exit\":80}"))
        #expect(line.utf8.count <= 1024)
        #expect(line.utf8.last == UInt8(ascii: "\n"))
        #expect(line.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && $0 != "\u{fffd}" })
    }
}
