import AgentAPI
import Foundation
import Testing

@Suite struct DocumentTests {
    @Test("Credentials are the object that a credential_process prints, in this order") func credentials() {
        let json = CredentialDocument.render(
            accessKeyID: "ASIAEXAMPLE", secretAccessKey: "wJalr/+=", sessionToken: "IQoJb3\"\\",
            expiration: 1_700_000_000,
            accountID: "012345678901")
        #expect(
            String(decoding: json, as: UTF8.self) == """
                {"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"wJalr/+=","SessionToken":"IQoJb3\\"\\\\",\
                "Expiration":"2023-11-14T22:13:20Z","AccountId":"012345678901"}
                """)
    }

    @Test(
        "A string survives another reader, whatever is in it",
        arguments: ["", "plain", "\"\\/", "\u{0}\u{1}\u{1f}\n\r\t\u{7f}", "é\u{1F511}\u{2028}", "</script>"])
    func strings(text: String) throws {
        var bytes: [UInt8] = []
        JSONText.appendString(text, to: &bytes)
        let read = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        #expect(read as? String == text)
        #expect(bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
    }

    @Test("A problem says status, title, detail, code, hint, exit and when to try again") func problem() throws {
        let problem = Problem(.awsThrottled, "slow \"down\"", hint: "wait", retryAfter: 7)
        let read = try JSONSerialization.jsonObject(with: Data(ProblemDocument(problem).json)) as? NSDictionary
        let expected: NSDictionary = [
            "status": 503, "title": "Service Unavailable", "detail": "slow \"down\"", "code": "aws-throttled",
            "hint": "wait", "exit": 75, "retry_after": 7,
        ]
        #expect(read == expected)
    }

    @Test("A problem without hint and pause has neither member, and reads back", arguments: Problem.Code.allCases)
    func everyProblem(code: Problem.Code) throws {
        let document = ProblemDocument(Problem(code, "what happened"))
        #expect(document.title != "Unknown")
        #expect(!String(decoding: document.json, as: UTF8.self).contains("hint"))
        #expect(try JSONDecoder().decode(ProblemDocument.self, from: Data(document.json)) == document)
    }

    @Test("What the caller wrote wrongly ends a client as a wrong command line does") func callersMistake() {
        #expect(Problem(.badRequest, "the URI: no scheme").exit.rawValue == 64)
    }

    @Test("A reader ignores members that it does not know") func lenient() throws {
        let json = Data(#"{"module":"m","state":"running","new":[1]}"#.utf8)
        let status = try JSONDecoder().decode(ModuleStatus.self, from: json)
        #expect(status == ModuleStatus(module: "m", state: .running))
    }

    @Test("A message is written as Foundation's encoder writes it") func messages() throws {
        let token = TokenListing(
            uri: "pkcs11:token=a%20b", label: "a \"b\"\n", manufacturer: "", model: "é", serial: "1", module: "/m.so",
            present: true, state: .pinNeeded, pinTries: .low)
        let status = Status(
            version: "1", pid: -7, system: false, uptimeSeconds: .max,
            modules: [ModuleStatus(module: "m", state: .failed, lastError: "why")], tokens: [token, token],
            profiles: [
                ProfileStatus(
                    name: "p", source: "s", roleARN: "arn",
                    certificate: ProfileStatus.Certificate(uri: "u", serial: "2", notAfter: "n"))
            ], notices: ["there is no bus"])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let expected = String(decoding: try encoder.encode([status]), as: UTF8.self)
        #expect(String(decoding: try AgentMessage.encode([status]), as: UTF8.self) == expected)
    }

    @Test("Empty messages are empty", arguments: [([], "[]"), (["a"], #"["a"]"#)] as [([String], String)])
    func lists(list: [String], text: String) throws {
        #expect(String(decoding: try AgentMessage.encode(list), as: UTF8.self) == text)
        #expect(String(decoding: try AgentMessage.encode([String: String]()), as: UTF8.self) == "{}")
    }

    @Test("A number with a fraction is a problem: no message has one") func fractions() {
        #expect(throws: Problem.self) { try AgentMessage.encode(["a": 0.5]) }
    }
}
