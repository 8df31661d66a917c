import LockedMemory
import Testing

@testable import AgentClient

@Suite("Credentials written for other programs")
struct ExportFormatTests {
    private func text(_ format: ExportFormat, secret: String = "wJalr/+=", rest: String = "") throws -> String {
        let body =
            #"{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"\#(secret)","SessionToken":"tok","#
            + #""Expiration":"2030-01-01T00:00:00Z"\#(rest)}"#
        let text = try format.text(Array(body.utf8).span, profile: ProfileArgument("prod".utf8))
        return text.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
    }

    @Test("PowerShell: single quotes, which nothing but themselves ends (about_Quoting_Rules)")
    func powershell() throws {
        #expect(
            try text(.powershell, secret: #"a$'`\"b"#) == """
                $Env:AWS_ACCESS_KEY_ID = 'ASIAEXAMPLE'
                $Env:AWS_SECRET_ACCESS_KEY = 'a$''`"b'
                $Env:AWS_SESSION_TOKEN = 'tok'
                $Env:AWS_CREDENTIAL_EXPIRATION = '2030-01-01T00:00:00Z'

                """)
    }

    @Test("dotenv has quotation marks only where a reader needs them")
    func dotenv() throws {
        #expect(try text(.dotenv).split(separator: "\n")[1] == "AWS_SECRET_ACCESS_KEY=wJalr/+=")
        #expect(try text(.dotenv, secret: "a#'b").split(separator: "\n")[1] == #"AWS_SECRET_ACCESS_KEY='a#\'b'"#)
    }

    @Test("The account is written where the agent has told it")
    func account() throws {
        #expect(try !text(.ini).contains("account"))
        #expect(try text(.ini, rest: #","AccountId":"111122223333""#).hasSuffix("\naws_account_id = 111122223333\n"))
    }

    @Test(
        "What would start another line, or end a value, is written in no format that has lines",
        arguments: [ExportFormat.env, .ini, .dotenv, .powershell],
        [#"\n"#, #"\r"#, #"\u0000"#, " ", #"\u00e9"#, #"\u007f"#])
    func refused(format: ExportFormat, character: String) {
        #expect { try text(format, secret: "a\(character)b") } throws: { ($0 as? ClientFailure)?.exit == .software }
    }

    @Test("Incomplete credentials are written in no format", arguments: ExportFormat.allCases)
    func incomplete(format: ExportFormat) {
        #expect { try text(format, secret: "") } throws: { ($0 as? ClientFailure)?.exit == .software }
    }
}
