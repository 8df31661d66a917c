import AgentAPI
import Foundation
import Synchronization
import Testing
import TokenService

@testable import Agent

@Suite struct ServerTokenRequestTests {
    /// What the operations were asked, the PIN as text.
    private final class Asked: Sendable {
        let all = Mutex<[[String?]]>([])
    }

    private static func request(_ path: String, _ body: String) -> String {
        "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private static func serve(_ request: String) async throws -> (answer: ServerTestClient.Answer?, asked: [[String?]])
    {
        let asked = Asked()
        let test = try await ServerUnderTest(
            operations: .scripted(
                unlock: { (uri, pin, isFromLogin) async throws(Problem) in
                    let text = pin?.pin.withBytes { bytes in
                        String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
                    }
                    asked.all.withLock { $0.append([uri, text] + (isFromLogin ? ["login"] : [])) }
                }, lock: { (uri) async throws(Problem) in asked.all.withLock { $0.append([uri]) } }))
        let answer = try await test.answer(to: request)
        await test.server.stop()
        return (answer, asked.all.withLock { $0 })
    }

    @Test(
        "An unlock body is its URI and its PIN, escapes resolved",
        arguments: [
            (#"{"uri":"pkcs11:token=a","pin":"1234"}"#, "pkcs11:token=a", "1234"),
            (#" { "pin" : "1" , "uri" : "u" } "#, "u", "1"),
            (#"{"uri":"u"}"#, "u", nil),
            (#"{"uri":"","pin":" "}"#, "", " "),
            (#"{"\u0075ri":"u","p\u0069n":"1"}"#, "u", "1"),
            (#"{"uri":"\u0070\/\\\"","pin":"\"\\\/\u00e9\u00E9é"}"#, #"p/\""#, #""\/ééé"#),
            (#"{"uri":"u","pin":"\ud83d\udd11🔑"}"#, "u", "🔑🔑"),
            (#"{"uri":"u","pin":"\#(String(repeating: "9", count: 255))"}"#, "u", String(repeating: "9", count: 255)),
        ] as [(String, String, String?)])
    func unlock(body: String, uri: String, pin: String?) async throws {
        let (answer, asked) = try await Self.serve(Self.request("/v1/tokens/unlock", body))
        #expect(answer?.status == 204)
        #expect(asked == [[uri, pin]])
    }

    @Test("A body tells that a login handed the PIN over, and nothing else of where it comes from") func origin()
        async throws
    {
        let (answer, asked) = try await Self.serve(
            Self.request("/v1/tokens/unlock", #"{"uri":"u","pin":"1","origin":"login"}"#))
        #expect(answer?.status == 204)
        #expect(asked == [["u", "1", "login"]])
        for origin in ["", "person", "Login"] {
            let body = #"{"uri":"u","pin":"1","origin":"\#(origin)"}"#
            let (answer, asked) = try await Self.serve(Self.request("/v1/tokens/unlock", body))
            #expect(answer?.status == 400)
            #expect(asked.isEmpty)
        }
    }

    @Test(
        "A body that is not what it should be is refused, and nothing of it is repeated",
        arguments: [
            ("", "the body is not one JSON object"),
            ("null", "the body is not one JSON object"),
            ("[]", "the body is not one JSON object"),
            (#""uri""#, "the body is not one JSON object"),
            ("{}", "the body has no uri"),
            (#"{"pin":"SECRET"}"#, "the body has no uri"),
            (#"{"uri":"u","pin":"SECRET""#, "the body is not one JSON object"),
            (#"{"uri":"u","pin":"SECRET"}}"#, "the body is not one JSON object"),
            (#"{"uri":"u","pin":"SECRET",}"#, "the body is not one JSON object"),
            (#"{,"uri":"u"}"#, "the body is not one JSON object"),
            (#"{"uri":"u""pin":"SECRET"}"#, "the body is not one JSON object"),
            (#"{"uri" "u"}"#, "the body is not one JSON object"),
            (#"{uri:"u"}"#, "the body is not one JSON object"),
            (#"{"uri":"u","pin":"SECRET"#, "a string in the body is malformed"),
            (#"{"uri":"u","pin":"SECRET\"#, "a string in the body is malformed"),
            (#"{"uri":"u","pin":"SECRET\x"}"#, "a string in the body is malformed"),
            (#"{"uri":"u","pin":"SECRET\u12"}"#, "a string in the body is malformed"),
            (#"{"uri":"u","pin":"SECRET\u12g4"}"#, "a string in the body is malformed"),
            (#"{"uri":"u","pin":"SECRET\ud800"}"#, "a string in the body is malformed"),
            (#"{"uri":"u","pin":"SECRET\udc00\ud800"}"#, "a string in the body is malformed"),
            (#"{"uri":"u","pin":"SECRET\ud83d\u0041"}"#, "a string in the body is malformed"),
            ("{\"uri\":\"u\",\"pin\":\"SECRET\n\"}", "a string in the body is malformed"),
            (#"{"uri":"u","pin":1234}"#, "a member of the body is not a string"),
            (#"{"uri":"u","pin":null}"#, "a member of the body is not a string"),
            (#"{"uri":"u","pin":["SECRET"]}"#, "a member of the body is not a string"),
            (#"{"uri":"u","PIN":"SECRET"}"#, "the body has a member that is not known here"),
            (#"{"uri":"u","pin":"1","p\u0069n":"SECRET"}"#, "the body has a member twice"),
            (#"{"uri":"u","SECRET":"SECRET"}"#, "the body has a member that is not known here"),
            (#"{"uri":"u","uri":"SECRET"}"#, "the body has a member twice"),
            (#"{"uri":"u","pin":""}"#, "the PIN is empty"),
            (#"{"uri":"u","pin":"SECRET\u0000"}"#, "the PIN holds a control character"),
            (#"{"uri":"u","pin":"SECRET\n"}"#, "the PIN holds a control character"),
            (#"{"uri":"u","pin":"SECRET\#(String(repeating: "9", count: 250))"}"#, "the PIN is longer than 255 bytes"),
        ])
    func malformed(body: String, detail: String) async throws {
        let (answer, asked) = try await Self.serve(Self.request("/v1/tokens/unlock", body))
        #expect(answer?.status == 400)
        #expect(answer?.body.contains("\"detail\":\"\(detail)\"") == true)
        #expect(answer?.body.contains("SECRET") == false)
        #expect(asked.isEmpty)
    }

    @Test(
        "A body that is no UTF-8 is refused",
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] as [[UInt8]])
    func notUTF8(bytes: [UInt8]) throws {
        let json = Array(#"{"uri":""#.utf8) + bytes + Array(#""}"#.utf8)
        let problem = #expect(throws: Problem.self) { try LockBody(json.span) }
        #expect(problem?.detail == "the body is not UTF-8")
    }

    @Test(
        "A lock body is a URI, or nothing",
        arguments: [("", nil), ("{}", nil), (#"{"uri":"pkcs11:"}"#, "pkcs11:")] as [(String, String?)])
    func lock(body: String, uri: String?) async throws {
        let (answer, asked) = try await Self.serve(Self.request("/v1/lock", body))
        #expect(answer?.status == 204)
        #expect(asked == [[uri]])
    }

    @Test("A lock body with anything else is refused", arguments: [#"{"pin":"1"}"#, "{", "[]"])
    func malformedLock(body: String) async throws {
        let (answer, asked) = try await Self.serve(Self.request("/v1/lock", body))
        #expect(answer?.status == 400)
        #expect(asked.isEmpty)
    }

    @Test("A PIN that arrives in pieces is one PIN") func pieces() async throws {
        let asked = Asked()
        let test = try await ServerUnderTest(
            operations: .scripted(unlock: { (uri, pin, _) async throws(Problem) in
                asked.all.withLock { $0.append([uri, (pin?.pin.count).map(String.init)]) }
            }))
        let client = try test.connect()
        for byte in Self.request("/v1/tokens/unlock", #"{"uri":"u","pin":"12345678"}"#).utf8 { client.send([byte]) }
        #expect(try await client.receive()?.status == 204)
        #expect(asked.all.withLock { $0 } == [["u", "8"]])
        await test.server.stop()
    }
}
