import AgentAPI
import Foundation
import Synchronization
import Testing

@testable import Agent

@Suite("Endpoints for container credentials") struct ServerEndpointTests {
    /// A server with such an endpoint for one of its two profiles.
    private final class Endpoint: Sendable {
        let test: ServerUnderTest
        let address: LoopbackAddress
        let tokenFile: String
        let hours: Hours

        final class Hours: Sendable {
            let passed = Mutex<Int64>(0)
        }

        init(
            isIPv6: Bool = false, allowed: UInt32 = getuid(), operations: AgentOperations = .scripted(),
            limits: ServerLimits = ServerLimits()
        ) async throws {
            let folder = try ServerTestFolder()
            let hours = Hours()
            self.hours = hours
            address = try FreePort.address(isIPv6: isIPv6)
            tokenFile = "\(folder.path)/ci.token"
            test = try await ServerUnderTest(
                operations: operations, limits: limits, profiles: ["ci": AllowList(), "own": AllowList()],
                consumers: [Self.listener(address, tokenFile, allowed: allowed)], folder: folder,
                boot: { hours.passed.withLock { $0 * 3_600_000 } })
        }

        static func listener(
            _ address: LoopbackAddress, _ tokenFile: String, allowed: UInt32 = getuid()
        ) -> ListenerConfiguration {
            ListenerConfiguration(
                .containerCredentials(address, TokenFileSetting(path: tokenFile)),
                profiles: Set([ProfileName("ci")].compactMap(\.self)), allow: AllowList(users: [allowed]))
        }

        func token() throws -> String { try String(contentsOfFile: tokenFile, encoding: .utf8) }

        /// The answer to these lines, in which TOKEN and ADDRESS stand for what they are.
        func answer(
            to lines: [String], _ arrival: RequestArrival = .withConnection
        ) async throws -> ServerTestClient.Answer? {
            let text = (lines + ["", ""]).joined(separator: "\r\n").replacing("TOKEN", with: try token())
                .replacing("ADDRESS", with: "\(address)").replacing("PORT", with: "\(address.port)")
            let client = try ServerTestClient(address)
            switch arrival {
            case .withConnection: client.send(text)
            case .byteByByte:
                for byte in text.utf8 {
                    client.send([byte])
                    await client.waitUntilRead()
                }
            }
            return try await client.receive()
        }
    }

    private static let right = ["GET /v1/credentials/ci HTTP/1.1", "Host: ADDRESS", "Authorization: TOKEN"]

    @Test("It answers what botocore sends", arguments: [false, true], RequestArrival.allCases)
    func botocore(isIPv6: Bool, arrival: RequestArrival) async throws {
        let endpoint = try await Endpoint(isIPv6: isIPv6)
        let answer = try #require(
            try await endpoint.answer(
                to: [
                    "GET /v1/credentials/ci HTTP/1.1", "Host: ADDRESS", "Accept-Encoding: identity",
                    "User-Agent: python-urllib3/2", "Accept: application/json", "Authorization: TOKEN",
                ], arrival))
        #expect(answer.status == 200 && answer.body == #"{"AccessKeyId":"ASIATEST"}"#)
        #expect(answer.field("Content-Type") == "application/json")
        #expect(answer.field("Cache-Control") == "no-store")
        #expect(!answer.head.lowercased().contains("access-control"))
        let record = try #require(endpoint.test.audited.last)
        #expect(record.listener == "\(endpoint.address)" && record.peer.uid == getuid())
        #expect("\(record)".contains("uid=\(getuid()) listener=\(endpoint.address) route=credentials profile=ci"))
        await endpoint.test.server.stop()
        #expect(!FileManager.default.fileExists(atPath: endpoint.tokenFile))
    }

    @Test(
        "Every rule refuses, on both ways, and nothing of a session is in the answer", arguments: hostile,
        RequestArrival.allCases)
    func refused(row: Row, arrival: RequestArrival) async throws {
        let endpoint = try await Endpoint()
        var lines = Self.right
        lines[0] = row.line ?? lines[0]
        if let host = row.host { lines[1] = host }
        if let authorization = row.authorization { lines[2] = authorization }
        lines.removeAll(where: \.isEmpty)
        let answer = try #require(try await endpoint.answer(to: lines + row.more, arrival))
        #expect(answer.status == row.status, "\(row)")
        let token = try endpoint.token()
        #expect(!answer.body.contains("ASIATEST") && !answer.body.contains(token))
        #expect(!answer.head.lowercased().contains("access-control"))
        await endpoint.test.server.stop()
    }

    struct Row: CustomStringConvertible, Sendable {
        var status: Int
        var line: String?
        var host: String?
        var authorization: String?
        var more: [String] = []

        var description: String { "\(status) \([line, host, authorization].compactMap(\.self) + more)" }
    }

    private static let hostile: [Row] =
        [
            "", "Host: evil.example", "Host: evil.example:PORT", "Host: 127.0.0.1.evil.example:PORT",
            "Host: 127.0.0.1", "Host: localhost", "Host: 0.0.0.0:PORT", "Host: [::]:PORT", "Host: [::1]:PORT",
            "Host: user@127.0.0.1:PORT", "Host: localhost.:PORT", "Host: 127.0.0.1:1", "Host:",
        ].map { Row(status: $0.isEmpty ? 400 : 403, host: $0) }
        + [
            "", "Authorization:", "Authorization: x", "Authorization: TOKENx", "Authorization: Bearer TOKEN",
            "X-Aws-Ec2-Metadata-Token: TOKEN",
        ]
        .map { Row(status: 403, authorization: $0) }
        + [
            "Origin: http://evil.example", "Origin: null", "Origin: http://ADDRESS", "Sec-Fetch-Site: same-origin",
            "Sec-Fetch-Mode: no-cors", "Referer: http://ADDRESS/", "X-Forwarded-For: 127.0.0.1",
            "X-Forwarded-Host: ADDRESS", "X-Forwarded-Proto: http", "Forwarded: for=127.0.0.1", "Via: 1.1 x",
            "X-Real-IP: 127.0.0.1", "Proxy-Connection: keep-alive", "Proxy-Authorization: x",
        ].map { Row(status: 403, more: [$0]) }
        + ["Authorization: TOKEN", "Host: ADDRESS", "Upgrade: websocket", "Transfer-Encoding: chunked"]
        .map { Row(status: 400, more: [$0]) }
        + ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get"]
        .map { Row(status: 405, line: "\($0) /v1/credentials/ci HTTP/1.1") }
        + [
            "/", "/v1/credentials", "/v1/credentials/", "/v1/credentials//", "/v1/credentials/ci//",
            "/v1/credentials/ci/x", "/v1/credentials/own", "/v1/credentials/other", "/V1/credentials/ci",
            "/v1/profiles/ci/credentials", "/v1/status", "/v1/lock", "/latest/meta-data/", "/v1/credentials/.",
        ].map { Row(status: 404, line: "GET \($0) HTTP/1.1") }
        + [
            "GET http://evil.example/v1/credentials/ci HTTP/1.1", "GET /v1/credentials/ci?x=1 HTTP/1.1",
            "GET /v1/credentials/%63i HTTP/1.1", "GET /v1/credentials/ci HTTP/2.0", "GET /v1/credentials/ci",
        ].map { Row(status: 400, line: $0) }
        + [
            Row(status: 413, more: ["Content-Length: 1", "", "x"]),
            Row(status: 405, line: "HEAD /v1/credentials/ci HTTP/1.1", more: ["Connection: close"]),
            Row(status: 413, more: ["X: \(String(repeating: "x", count: 20_000))"]),
            Row(status: 403, line: "GET /v1/credentials/ci HTTP/1.0", host: ""),
        ]

    @Test("A slash at the end of the path is taken") func slash() async throws {
        let endpoint = try await Endpoint()
        let lines = ["GET /v1/credentials/ci/ HTTP/1.1"] + Self.right.dropFirst()
        #expect(try await endpoint.answer(to: lines)?.status == 200)
        await endpoint.test.server.stop()
    }

    @Test("A user who is not allowed is told so before a byte is read, and counted") func users() async throws {
        let endpoint = try await Endpoint(allowed: getuid() &+ 1)
        let answer = try #require(try await endpoint.answer(to: Self.right))
        #expect(answer.status == 403 && answer.body.contains("this socket does not allow uid \(getuid())"))
        #expect(endpoint.test.audited.allSatisfy { $0.decision != .allow(reason: "user \(getuid()) is listed") })
        await endpoint.test.server.stop()
    }

    @Test("A user has no more connections there than elsewhere") func shares() async throws {
        var limits = ServerLimits()
        limits.connectionsPerUser = 3
        let endpoint = try await Endpoint(limits: limits)
        let held = try (0..<3).map { _ in try ServerTestClient(endpoint.address) }
        for client in held {
            client.send(
                Self.right.joined(separator: "\r\n").replacing("TOKEN", with: try endpoint.token())
                    .replacing("ADDRESS", with: "\(endpoint.address)") + "\r\n\r\n")
            #expect(try await client.receive()?.status == 200)
        }
        #expect(try await endpoint.answer(to: Self.right)?.status == 429)
        await endpoint.test.server.stop()
    }

    @Test("What is not in the cache is 503 at once, in words for SDKs, and is never waited for") func absent()
        async throws
    {
        let endpoint = try await Endpoint(
            operations: .scripted(
                cached: { _ in nil },
                credentials: { (_) async throws(Problem) in
                    Issue.record("an endpoint waits")
                    throw Problem(.internalFault, "waited")
                },
                held: { (_) async throws(Problem) in
                    throw Problem(.locked, "the token is locked", hint: "run 'tokenward unlock'")
                }))
        let answer = try #require(try await endpoint.answer(to: Self.right))
        #expect(answer.status == 503)
        #expect(answer.field("Retry-After") == "10")
        #expect(answer.field("Content-Type") == "application/json")
        #expect(
            answer.body
                == #"{"code":"locked","message":"tokenward: the token is locked; run 'tokenward unlock'"}"#)
        #expect(endpoint.test.audited.last?.status == 503)
        await endpoint.test.server.stop()
    }

    @Test("A client that reads the token file at each request is served over every rotation; others over one")
    func rotation() async throws {
        let endpoint = try await Endpoint()
        var copy = try endpoint.token()
        for period in 1...4 {
            endpoint.hours.passed.withLock { $0 += 12 }
            #expect(await endpoint.test.server.tendEndpoints().isEmpty)
            let lines = Self.right.dropLast() + ["Authorization: \(copy)"]
            #expect(try await endpoint.answer(to: Array(lines))?.status == (period.isMultiple(of: 2) ? 403 : 200))
            #expect(try await endpoint.answer(to: Self.right)?.status == 200)
            if period.isMultiple(of: 2) { copy = try endpoint.token() }
        }
        await endpoint.test.server.stop()
    }

    @Test("A token file that was removed is made again; what was put in its place is left, and told of")
    func replaced() async throws {
        let endpoint = try await Endpoint()
        let (old, path) = (try endpoint.token(), endpoint.tokenFile)
        try FileManager.default.removeItem(atPath: path)
        #expect(await endpoint.test.server.tendEndpoints().isEmpty)
        #expect(try endpoint.token() != old)
        #expect(try await endpoint.answer(to: Self.right)?.status == 200)
        let other = "\(endpoint.test.folder.path)/other"
        try Data("mine".utf8).write(to: URL(filePath: other))
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: other)
        #expect(
            await endpoint.test.server.tendEndpoints() == [
                "\(path): what is there is no token of an agent; move it away"
            ])
        await endpoint.test.server.stop()
        #expect(try String(contentsOfFile: other, encoding: .utf8) == "mine")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == other)
    }

    @Test("A port that is taken keeps nothing else from being served, and is tried again", arguments: [false, true])
    func port(isAtStart: Bool) async throws {
        let (taken, port) = try FreePort.listening()
        let folder = try ServerTestFolder()
        let address = try #require(LoopbackAddress("127.0.0.1:\(port)"))
        let file = "\(folder.path)/other.token"
        let consumers = [Endpoint.listener(address, file)]
        let test = try await ServerUnderTest(
            profiles: ["ci": AllowList()], consumers: isAtStart ? consumers : [], folder: folder)
        if !isAtStart {
            let policy = Policy(agentUID: ServerUnderTest.own, scope: .user, profiles: [:])
            #expect(await test.server.reload(policy: policy, consumers: consumers).isEmpty)
        }
        let reason =
            "\(address): another program listens on this port ('ss -ltnp' shows it); the agent tries again every two "
            + "seconds"
        for _ in 1...2 { #expect(await test.server.tendEndpoints() == [reason]) }
        #expect(!FileManager.default.fileExists(atPath: file))
        close(taken)
        #expect(await test.server.tendEndpoints().isEmpty)
        #expect(FileManager.default.fileExists(atPath: file))
        _ = try ServerTestClient(address)
        await test.server.stop()
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test("A reload keeps an endpoint's connections and token, and takes its new rules and file") func reload()
        async throws
    {
        let endpoint = try await Endpoint()
        let token = try endpoint.token()
        let lines =
            Self.right.joined(separator: "\r\n").replacing("TOKEN", with: token)
            .replacing("ADDRESS", with: "\(endpoint.address)") + "\r\n\r\n"
        let client = try ServerTestClient(endpoint.address)
        client.send(lines)
        #expect(try await client.receive()?.status == 200)
        let policy = Policy(
            agentUID: ServerUnderTest.own, scope: .user,
            profiles: Dictionary(uniqueKeysWithValues: [ProfileName("ci")].compactMap(\.self).map { ($0, AllowList()) })
        )
        let moved = "\(endpoint.test.folder.path)/moved.token"
        #expect(
            await endpoint.test.server.reload(
                policy: policy, consumers: [Endpoint.listener(endpoint.address, moved)]
            ).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: endpoint.tokenFile))
        #expect(try String(contentsOfFile: moved, encoding: .utf8) != token)
        client.send(lines)
        #expect(try await client.receive()?.status == 200, "the token before is good for one refresh")
        #expect(
            await endpoint.test.server.reload(
                policy: policy, consumers: [Endpoint.listener(endpoint.address, moved, allowed: getuid() &+ 1)]
            ).isEmpty)
        client.send(lines)
        #expect(try await client.receive()?.status == 403)
        await endpoint.test.server.stop()
    }
}
