import AgentAPI
import Foundation
import LockedMemory
import Testing
import TokenService

@testable import Agent
@testable import Prompts

/// Holds `Sources/AgentAPI/openapi.json` and what goes over the socket together.
@Suite struct ServerDocumentTests {
    private let document: NSDictionary

    init() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Sources/AgentAPI/openapi.json")
        document = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? NSDictionary)
    }

    @Test("The header that says who waits is described as it is read") func person() throws {
        let header: NSDictionary = try part("components", "parameters", "Person")
        #expect(header["in"] as? String == "header")
        #expect(Set(try #require(header["x-names"] as? [String])) == PromptPlace.names.union(["TTY"]))
        let limit: Int = try part("components", "parameters", "Person", "schema", "maxLength")
        #expect(limit == PromptPlace.longestHeader)
        #expect((header["description"] as? String)?.contains(" 1 to \(PromptPlace.longestValue) ") == true)

        let name = try #require(header["name"] as? String)
        let field = "\(name): \(try #require(header["example"] as? String))"
        var parser = RequestHeadParser(limits: ServerLimits())
        let head = try parser.read(Array("GET / HTTP/1.1\r\nHost: x\r\n\(field)\r\n\r\n".utf8).span)?.head
        #expect(try PromptPlace(header: #require(head).person)?.terminal == "/dev/pts/3")
    }

    @Test("The document says which routes may ask a person") func whoAsks() throws {
        let paths: [String: [String: Any]] = try part("paths")
        let asking = paths.values.flatMap(\.values).compactMap { $0 as? [String: Any] }.filter { operation in
            let parameters = operation["parameters"] as? [[String: String]] ?? []
            return parameters.contains { $0["$ref"] == "#/components/parameters/Person" }
        }
        let names = asking.compactMap { $0["operationId"] as? String }
        let management = Route.all.filter { $0.permission == .management && $0.method == .post }.map { "\($0.action)" }
        #expect(Set(names) == Set(["credentials", "refresh", "unlock"] + management))
    }

    @Test(
        "Each field of an answer's head is described",
        arguments: [
            "GET /v1/status", "POST /v1/lock", "PUT /v1/status", "GET /v1/nothing", "GET /v1/health",
            "GET /v1/profiles/none/credentials",
        ])
    func fields(request: String) async throws {
        let busy = Problem(.tokenBusy, "busy", retryAfter: 3)
        let test = try await ServerUnderTest(
            operations: .scripted(status: { () async throws(Problem) in throw busy }))
        let answer = try #require(try await test.answer(to: "\(request) HTTP/1.1\r\nHost: x\r\n\r\n"))
        await test.server.stop()
        let about: String = try part("info", "description")
        let described: [String: Any] = try part("components", "responses", "Problem", "headers")
        let ofHTTP = ["Content-Type", "Content-Length", "Connection"]
        for line in answer.head.components(separatedBy: "\r\n").dropFirst() where !line.isEmpty {
            let name = String(line.prefix { $0 != ":" })
            #expect(ofHTTP.contains(name) || described[name] != nil || about.contains(line), "\(line)")
        }
        if answer.status >= 400 {
            let statuses: [Int] = try part("components", "schemas", "Problem", "properties", "status", "enum")
            #expect(statuses.contains(answer.status))
        }
    }

    @Test(
        "A problem tells what varies in its detail",
        arguments: [
            ("GET /v1/nothing", ["path": "/v1/nothing"]), ("PUT /v1/status", ["path": "/v1/status", "method": "GET"]),
            ("GET /v1/profiles/none/credentials", ["profile": "none"]), ("POST /v1/tokens/unlock", [:]),
        ] as [(String, [String: String])])
    func parameters(request: String, parameters: [String: String]) async throws {
        let test = try await ServerUnderTest()
        let answer = try #require(try await test.answer(to: "\(request) HTTP/1.1\r\nHost: x\r\n\r\n"))
        await test.server.stop()
        let read = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
        #expect(read?["parameters"] as? [String: String] == parameters)
        for value in parameters.values where value != "GET" {
            #expect((read?["detail"] as? String)?.contains(value) == true)
        }
    }

    @Test(
        "A body may have the members of its schema and no others",
        arguments: [
            ("/v1/tokens/unlock", 204), ("/v1/lock", 204), ("/v1/certificates", 200), ("/v1/certificate-requests", 200),
        ])
    func bodies(path: String, done: Int) async throws {
        let reference: String = try part(
            "paths", path, "post", "requestBody", "content", "application/json", "schema", "$ref")
        let name = try #require(reference.split(separator: "/").last).description
        let members: [String: Any] = try part("components", "schemas", name, "properties")
        let required: [String] = try part("components", "schemas", name, "required")
        let status = { names in try await self.status(path, names, of: members) }
        #expect(try await status(Array(members.keys)) == done)
        #expect(try await status(required) == done)
        for member in required { #expect(try await status(required.filter { $0 != member }) == 400) }
        #expect(try await status(required + ["other"]) == 400)
    }

    @Test("A PIN may be as long as the document says") func longestPIN() throws {
        let longest: Int = try part("components", "schemas", "UnlockRequest", "properties", "pin", "maxLength")
        #expect(longest == PIN.capacity)
    }

    @Test("Health is what its schema says") func health() async throws {
        let test = try await ServerUnderTest()
        let answer = try #require(try await test.answer(to: "GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n"))
        await test.server.stop()
        let health: [String: [String: String]] = try part("components", "schemas", "Health", "properties")
        let read = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: String]
        #expect(read == health.compactMapValues { $0["const"] })
    }

    @Test(
        "A profile's name is one for the document where it is one for the agent",
        arguments: [
            "a", "A.b-c_1", "9", "_", "", ".", "-a", ".a", "a/b", "a b", "é", "a\n", "a%20",
            String(repeating: "a", count: 64), String(repeating: "a", count: 65),
        ])
    func names(name: String) throws {
        for path in ["credentials", "refresh", "explain"] {
            let parameters: [[String: Any]] = try part("paths", "/v1/profiles/{name}/\(path)", "parameters")
            let schema = try #require(parameters.first?["schema"] as? [String: String])
            let pattern = try Regex(#require(schema["pattern"]))
            #expect((name.wholeMatch(of: pattern) != nil) == (ProfileName(name) != nil))
        }
    }

    private func status(_ path: String, _ names: [String], of members: [String: Any]) async throws -> Int? {
        let test = try await ServerUnderTest()
        let pairs = names.map { name in
            let member = members[name] as? [String: Any]
            let word = "\"\((member?["enum"] as? [String])?.first ?? "x")\""
            return "\"\(name)\":\(member?["type"] as? String == "array" ? "[\(word)]" : word)"
        }
        let body = "{\(pairs.joined(separator: ","))}"
        let answer = try await test.answer(
            to: "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        await test.server.stop()
        return answer?.status
    }

    private func part<Part>(_ keys: String...) throws -> Part {
        var place: Any = document
        for key in keys { place = try #require((place as? [String: Any])?[key], "\(keys)") }
        return try #require(place as? Part, "\(keys)")
    }
}
