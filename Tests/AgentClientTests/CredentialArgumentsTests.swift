import Testing

@testable import AgentClient

@Suite("The thin client's command line")
struct CredentialArgumentsTests {
    private func parse(_ arguments: [String]) throws(ClientFailure) -> CredentialArguments.Outcome {
        try CredentialArguments.parse(arguments.map { Array($0.utf8) })
    }

    @Test(
        "Profile, socket and timeout are taken in both spellings and any order",
        arguments: [
            (["prod"], "prod", nil, 50_000),
            (["--profile", "prod"], "prod", nil, 50_000),
            (["--profile=prod", "--timeout=5"], "prod", nil, 5_000),
            (["--timeout", "0.25", "prod", "--socket", "/s"], "prod", "/s", 250),
            (["--socket=/s=1", "--", "a_.-9"], "a_.-9", "/s=1", 50_000),
            (["--socket=", "prod"], "prod", "", 50_000),
            (["--timeout", "86400", "prod"], "prod", nil, 86_400_000),
        ] as [([String], String, String?, Int64)])
    func taken(arguments: [String], profile: String, socket: String?, milliseconds: Int64) throws {
        guard case .run(let parsed) = try parse(arguments) else {
            Issue.record("no run")
            return
        }
        #expect(parsed.profile.name == profile)
        #expect(parsed.socket == socket.map { Array($0.utf8) })
        #expect(parsed.timeoutMilliseconds == milliseconds)
    }

    @Test(
        "Anything else is a usage error",
        arguments: [
            [], ["--"], ["a", "b"], ["a", "--profile", "b"], ["--profile", "a", "--profile=b"], ["a", "--socket"],
            ["a", "--socket", "/s", "--socket", "/t"], ["a", "--tiemout", "5"], ["a", "-v"], ["-", "a"],
            ["a", "--profiles=b"], ["a", "--timeout", "0"], ["a", "--timeout", "-1"], ["a", "--timeout", "1e3"],
            ["a", "--timeout", ""], ["a", "--timeout", "."], ["a", "--timeout", "1."], ["a", "--timeout", ".5"],
            ["a", "--timeout", "1.2345"], ["a", "--timeout", "86401"], ["a", "--timeout", "99999999999999999999"],
            ["a", "--timeout", "0.0001"], ["a", "--timeout", "5s"], [""], [".a"], ["--", "-a"], ["a/b"], ["a b"],
            ["a\n"], ["é"], ["%41"], ["a\u{0}"], [String(repeating: "a", count: 65)],
        ])
    func refused(arguments: [String]) {
        let failure = #expect(throws: ClientFailure.self) { try parse(arguments) }
        #expect(failure?.exit == .usage)
    }

    @Test("A name of 64 characters is the longest")
    func longest() throws {
        #expect(try ProfileArgument(String(repeating: "a", count: 64).utf8).name.count == 64)
    }
}
