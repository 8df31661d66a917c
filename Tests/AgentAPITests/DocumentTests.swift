import AgentAPI
import Foundation
import JSON
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
        let secrets = CredentialDocument.secrets(of: json)
        #expect(secrets.secretAccessKey == "wJalr/+=" && secrets.sessionToken == "IQoJb3\"\\")
        #expect(CredentialDocument.secrets(of: Array("SecretAccessKey".utf8)) == ("", ""))
    }

    @Test("A problem says status, title, detail, code, hint, exit and when to try again") func problem() throws {
        let problem = Problem(.awsThrottled, "slow \"down\"", hint: "wait", retryAfter: 7)
        let read = try JSONSerialization.jsonObject(with: Data(ProblemDocument(problem).json)) as? NSDictionary
        let expected: NSDictionary = [
            "status": 503, "title": "Service Unavailable", "detail": "slow \"down\"", "code": "aws-throttled",
            "hint": "wait", "exit": 75, "retry_after": 7, "parameters": [String: String](),
        ]
        #expect(read == expected)
    }

    @Test("A problem without hint and pause has neither member, and reads back", arguments: Problem.Code.allCases)
    func everyProblem(code: Problem.Code) throws {
        let document = ProblemDocument(Problem(code, "what happened"))
        #expect(document.title != "Unknown")
        #expect(!String(decoding: document.json, as: UTF8.self).contains("hint"))
        #expect(ProblemDocument(try JSONValue(document.json.span)) == document)
    }

    @Test("What varies in a detail stands in the text and under its name, also where one detail is part of another")
    func parameters() throws {
        let action: Problem.Detail = "signing on token \("\"a\"", .token)"
        var problem = Problem(.tokenBusy, "\(action): \(3, .count) others are logged in")
        #expect(problem.detail == "signing on token \"a\": 3 others are logged in")
        #expect(problem.parameters == [.token: "\"a\"", .count: "3"])
        problem.append(" (remembered until \("noon", .rememberedUntil))")
        #expect(problem.detail == "signing on token \"a\": 3 others are logged in (remembered until noon)")
        let read = try JSONSerialization.jsonObject(with: Data(ProblemDocument(problem).json)) as? NSDictionary
        let expected: NSDictionary = ["token": "\"a\"", "count": "3", "remembered_until": "noon"]
        #expect(read?["parameters"] as? NSDictionary == expected)
    }

    @Test("What the caller wrote wrongly ends a client as a wrong command line does") func callersMistake() {
        #expect(Problem(.badRequest, "the URI: no scheme").exit.rawValue == 64)
    }

    @Test("A reader ignores members that it does not know, keeps such words, and shows that something is missing")
    func lenient() throws {
        let read = { (text: String) throws in TokenListing(try JSONValue(Array(text.utf8).span)) }
        let token = try #require(
            try read(#"{"uri":"u","state":"levitating","pin_tries":"low","label":null,"new":[1]}"#))
        #expect(token.uri == "u" && token.label == "?" && token.awaiting == nil)
        #expect(token.state.text == "levitating" && token.state.known == nil)
        #expect(token.pinTries.known == .low)
        for text in [#"{"uri":7}"#, #"{"state":{}}"#, #"{"pinpad":"yes"}"#, "[]", "null", #""u""#] {
            #expect(try read(text) == nil)
        }
    }

    @Test("A message is what it says, for Foundation's reader and for ours") func messages() throws {
        let token = TokenListing {
            ($0.uri, $0.label, $0.manufacturer) = ("pkcs11:token=a%20b", "a \"b\"\n", "")
            ($0.model, $0.serial, $0.module) = ("é", "1", "/m.so")
            ($0.state, $0.pinTries, $0.awaiting) = (Word(.pinNeeded), Word(.low), Word(.touch))
        }
        let refusal = ProfileStatus.Refusal { ($0.uid, $0.time, $0.code, $0.detail) = (7, "t", "c", "d") }
        let profile = ProfileStatus {
            ($0.name, $0.source, $0.roleARN) = ("p", "s", "arn")
            $0.certificate = ProfileStatus.Certificate { ($0.uri, $0.serial, $0.notAfter) = ("u", "2", "n") }
            $0.lastRefusals = [refusal]
        }
        let status = Status {
            ($0.version, $0.pid, $0.uptimeSeconds) = ("1", -7, .max)
            $0.modules = [ModuleStatus { ($0.module, $0.state, $0.lastError) = ("m", Word(.failed), "why") }]
            ($0.tokens, $0.profiles, $0.notices) = ([token], [profile], ["there is no bus"])
        }
        let expected: NSDictionary = [
            "version": "1", "pid": -7, "system": false, "uptime_seconds": Int64.max,
            "modules": [["module": "m", "state": "failed", "last_error": "why"]],
            "tokens": [
                [
                    "uri": "pkcs11:token=a%20b", "label": "a \"b\"\n", "manufacturer": "", "model": "é", "serial": "1",
                    "module": "/m.so", "present": true, "state": "pin-needed", "pin_tries": "low", "pinpad": false,
                    "awaiting": "touch",
                ]
            ],
            "profiles": [
                [
                    "name": "p", "source": "s", "role_arn": "arn",
                    "certificate": ["uri": "u", "serial": "2", "not_after": "n"],
                    "last_refusals": [["uid": 7, "time": "t", "code": "c", "detail": "d"]],
                ]
            ], "notices": ["there is no bus"],
        ]
        #expect(try JSONSerialization.jsonObject(with: Data(status.json)) as? NSDictionary == expected)
        #expect(Status(try JSONValue(status.json.span)) == status)
    }

    @Test("Empty messages are empty", arguments: [([], "[]"), (["a"], #"["a"]"#)] as [([String], String)])
    func lists(list: [String], text: String) {
        #expect(String(decoding: list.json, as: UTF8.self) == text)
        #expect(String(decoding: [String: String]().json, as: UTF8.self) == "{}")
    }

    @Test(
        "A number must be whole and fit",
        arguments: [
            ("7", 7), ("-0", 0), ("4294967295", nil), ("2147483647", .max), ("7.0", nil), ("7e0", nil), ("\"7\"", nil),
        ] as [(String, Int32?)])
    func numbers(text: String, number: Int32?) throws {
        #expect(Int32(try JSONValue(Array(text.utf8).span)) == number)
    }
}
