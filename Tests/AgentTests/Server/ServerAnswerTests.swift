import AgentAPI
import Foundation
import Synchronization
import Testing

@testable import Agent

@Suite struct ServerAnswerTests {
    @Test("Cached credentials are answered as they are, on one connection again and again") func cached() async throws {
        let test = try await ServerUnderTest()
        let client = try test.connect()
        for _ in 1...3 {
            client.send("GET /v1/profiles/prod/credentials HTTP/1.1\r\nHost: x\r\n\r\n")
            let answer = try #require(try await client.receive())
            #expect(answer.body == #"{"Version":1,"AccessKeyId":"ASIATEST"}"#)
            #expect(
                answer.head == """
                    HTTP/1.1 200 OK\r
                    Content-Type: application/json\r
                    Content-Length: 38\r
                    Cache-Control: no-store\r
                    X-Content-Type-Options: nosniff\r
                    \r

                    """)
        }
        var record = AuditRecord(
            peer: Peer(uid: 1000, gid: 1000, pid: 7), route: .credentials, profile: ProfileName("prod"),
            decision: .allow(reason: "the agent's own user"), status: 200,
            issued: .init(accessKeyID: "ASIATEST", expiration: 1_700_000_000))
        #expect(test.audited == [record])
        await test.server.stop()
        record.others = 1
        #expect(test.audited.last == record)
    }

    @Test("Credentials that are not cached come from the operation") func uncached() async throws {
        let test = try await ServerUnderTest(operations: .scripted(cached: { _ in nil }))
        let answer = try await test.answer(to: "GET /v1/profiles/prod/credentials HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(answer?.body == #"{"Version":1,"AccessKeyId":"ASIATEST"}"#)
        #expect(test.audited.map(\.issued?.accessKeyID) == ["ASIATEST"])
        await test.server.stop()
    }

    @Test(
        "Each request has its answer",
        arguments: [
            ("POST /v1/profiles/prod/refresh", 200, #"{"Version":1,"AccessKeyId":"ASIATEST"}"#),
            ("GET /v1/profiles", 200, "[]"),
            (
                "GET /v1/profiles/prod/explain", 200,
                #"[{"uri":"","subject":"CN=a","serial":"1","not_after":"","chosen":true,"reasons":[]}]"#
            ),
            ("GET /v1/identities", 200, "[]"),
            ("GET /v1/tokens", 200, "[]"),
            ("POST /v1/lock", 204, ""),
            ("POST /v1/reload", 204, ""),
            (
                "GET /v1/status", 200,
                #"{"version":"1","pid":1,"system":false,"uptime_seconds":1,"modules":[],"tokens":[],"profiles":[],"notices":[]}"#
            ),
            ("GET /v1/health", 200, #"{"status":"ok"}"#),
        ], RequestArrival.allCases)
    func all(row: (request: String, status: Int, body: String), arrival: RequestArrival) async throws {
        let (request, status, body) = row
        let test = try await ServerUnderTest(starts: false)
        let client = try await test.client(sending: request + " HTTP/1.1\r\nHost: x\r\n\r\n", arrival)
        let answer = try await client.receive()
        #expect(answer?.status == status)
        #expect(answer?.body == body)
        // RFC 9110 §8.6: none in a 204.
        #expect(answer?.field("Content-Length") == (status == 204 ? nil : String(body.utf8.count)))
        #expect(test.audited.map(\.status) == [status])
        await test.server.stop()
    }

    @Test(
        "What is not there, or not so, is told",
        arguments: [
            ("GET /", 404, "not-found", nil),
            ("GET /v1/profiles/other/credentials", 404, "unknown-profile", nil),
            ("GET /v1/profiles/-x/credentials", 404, "unknown-profile", nil),
            ("HEAD /v1/health", 405, nil, "GET"),
            ("OPTIONS /v1/lock", 405, "method-not-allowed", "POST"),
            ("GET /v1/profiles/prod/refresh", 405, "method-not-allowed", "POST"),
        ] as [(String, Int, String?, String?)], RequestArrival.allCases)
    func refused(
        row: (request: String, status: Int, code: String?, allow: String?), arrival: RequestArrival
    ) async throws {
        let (request, status, code, allow) = row
        let test = try await ServerUnderTest(starts: false)
        let client = try await test.client(
            sending: request + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", arrival)
        let all = try await client.receiveAll()
        #expect(all.hasPrefix("HTTP/1.1 \(status) "))
        #expect(all.contains("\"code\":\"\(code ?? "none")\"") == (code != nil))
        #expect(all.contains("\r\nAllow: \(allow ?? "none")\r\n") == (allow != nil))
        if code == nil { #expect(all.hasSuffix("\r\n\r\n")) }
        await test.server.stop()
    }

    @Test(
        "A system agent's hints name commands as root gives them, and a user's agent's as the user does",
        arguments: [(AgentScope.user, "run 'tokenward unlock'"), (.system, "run 'sudo tokenward unlock'")])
    func hints(scope: AgentScope, hint: String) async throws {
        let test = try await ServerUnderTest(
            operations: .scripted(
                cached: { _ in nil },
                credentials: { (_) async throws(Problem) in
                    throw Problem(.pinNeeded, "token needs its PIN", hint: "run 'tokenward unlock'")
                }), scope: scope)
        let answer = try await test.answer(to: "GET /v1/profiles/prod/credentials HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(answer?.body.contains("\"hint\":\"\(hint)\"") == true)
        await test.server.stop()
    }

    @Test("A problem of an operation is its status, its document and its Retry-After") func problem() async throws {
        let test = try await ServerUnderTest(
            operations: .scripted(
                cached: { _ in nil },
                credentials: { (_) async throws(Problem) in throw Problem(.awsThrottled, "slow down", retryAfter: 9) }))
        let answer = try #require(
            try await test.answer(to: "GET /v1/profiles/prod/credentials HTTP/1.1\r\nHost: x\r\n\r\n"))
        #expect(answer.status == 503)
        #expect(answer.field("Retry-After") == "9")
        #expect(answer.field("Content-Type") == "application/problem+json")
        #expect(
            answer.body
                == String(
                    decoding: ProblemDocument(Problem(.awsThrottled, "slow down", retryAfter: 9)).json, as: UTF8.self))
        #expect(test.audited.map(\.problem) == [.awsThrottled])
        await test.server.stop()
    }

    @Test(
        "The connection ends when the client wants it",
        arguments: ["HTTP/1.1\r\nHost: x\r\nConnection: x, Close", "HTTP/1.0", "HTTP/1.0\r\nHost: x"],
        RequestArrival.allCases)
    func closing(rest: String, arrival: RequestArrival) async throws {
        let test = try await ServerUnderTest(starts: false)
        let client = try await test.client(sending: "GET /v1/health \(rest)\r\n\r\n", arrival)
        let all = try await client.receiveAll()
        #expect(all.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(all.contains("\r\nConnection: close\r\n"))
        await test.server.stop()
    }

    @Test(
        "Requests sent ahead are answered in order",
        arguments: ["profiles/prod/credentials", "health", "nothing", "tokens"], RequestArrival.allCases)
    func pipelined(first: String, arrival: RequestArrival) async throws {
        let test = try await ServerUnderTest(starts: false)
        let paths = [first, "profiles/prod/credentials", "health", "nothing", "profiles/prod/explain", "tokens"]
        let client = try await test.client(
            sending: paths.map { "GET /v1/\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined(), arrival)
        var statuses: [Int] = []
        for _ in paths { statuses.append(try #require(try await client.receive()).status) }
        #expect(statuses == [first == "nothing" ? 404 : 200, 200, 200, 404, 200, 200])
        await test.server.stop()
    }

    @Test("Credentials are withdrawn only when an acceptor has sent those that it has taken from memory")
    func withdrawn()
        async throws
    {
        let (taken, released) = (AsyncStream.makeStream(of: Void.self), DispatchSemaphore(value: 0))
        let order = Mutex<[String]>([])
        let test = try await ServerUnderTest(
            operations: .scripted(cached: { _ in
                taken.continuation.yield()
                released.wait()
                order.withLock { $0.append("taken") }
                return AgentOperations.issued
            }), starts: false)
        let client = try await test.client(
            sending: "GET /v1/profiles/prod/credentials HTTP/1.1\r\nHost: x\r\n\r\n", .withConnection)
        for await _ in taken.stream { break }
        async let withdrawn: Void = {
            await test.server.withdrawCredentials(of: nil)
            order.withLock { $0.append("withdrawn") }
        }()
        for _ in 1...1000 { await Task.yield() }
        released.signal()
        await withdrawn
        #expect(order.withLock { $0 } == ["taken", "withdrawn"])
        #expect(try await client.receive()?.status == 200)
        await test.server.stop()
    }

    @Test("Answers of an acceptor and of an event loop are counted in one line") func oneLine() async throws {
        let test = try await ServerUnderTest(starts: false)
        let request = "GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n"
        let client = try await test.client(sending: request, .withConnection)
        for _ in 1...3 {
            _ = try await client.receive()
            client.send(request)
        }
        _ = try await client.receive()
        await test.server.stop()
        #expect(test.audited.map(\.others) == [0, 2])
    }

    @Test("A client that ends its side still gets its answer") func halfClosed() async throws {
        let gate = OperationGate()
        let test = try await ServerUnderTest(
            operations: .scripted(status: { () async throws(Problem) in await gate.pass() }))
        let client = try test.connect()
        client.send("GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
        client.endWriting()
        await gate.waitForStart()
        gate.release()
        #expect(try await client.receiveAll().hasPrefix("HTTP/1.1 200 OK\r\n"))
        await test.server.stop()
    }
}
