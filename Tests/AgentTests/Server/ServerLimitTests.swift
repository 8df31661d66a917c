import AgentAPI
import Foundation
import Synchronization
import Testing

@testable import Agent

@Suite struct ServerLimitTests {
    private static let request = "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test(
        "A request that comes too slowly is told so, and the connection ends",
        arguments: [
            ("G", "head"), ("GET /v1/health HTTP/1.1\r\nHost: x\r\n", "head"),
            ("POST /v1/lock HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{", "body"),
        ])
    func slow(start: String, part: String) async throws {
        var limits = ServerLimits()
        limits.headMilliseconds = 40
        limits.bodyMilliseconds = 40
        let test = try await ServerUnderTest(limits: limits)
        let client = try test.connect()
        client.send(start)
        let all = try await client.receiveAll()
        #expect(all.hasPrefix("HTTP/1.1 408 "))
        #expect(all.contains("the request's \(part) did not arrive in time"))
        await test.server.stop()
    }

    @Test("A connection that says nothing ends without a word", arguments: ["", request])
    func idle(first: String) async throws {
        var limits = ServerLimits()
        limits.idleMilliseconds = 40
        let test = try await ServerUnderTest(limits: limits)
        let client = try test.connect()
        if !first.isEmpty {
            client.send(first)
            _ = try await client.receive()
        }
        #expect(try await client.receiveAll().isEmpty)
        await test.server.stop()
    }

    @Test("A peer that does not read its answer is let go") func notReading() async throws {
        var limits = ServerLimits()
        limits.answerMilliseconds = 40
        let large = IssuedCredentials(
            json: [UInt8](repeating: 0x20, count: 1 << 22), endpointJSON: [], accessKeyID: "A", expiration: 0)
        let test = try await ServerUnderTest(operations: .scripted(cached: { _ in large }), limits: limits)
        let client = try test.connect()
        client.send("GET /v1/profiles/prod/credentials HTTP/1.1\r\nHost: x\r\n\r\n")
        await test.server.stop()  // waits for the answer under way, and so for the limit
        #expect(try await client.receiveAll().utf8.count < 1 << 22)
    }

    @Test("An operation may take longer than any of the limits on a peer") func waiting() async throws {
        var limits = ServerLimits()
        limits.headMilliseconds = 20
        limits.idleMilliseconds = 20
        limits.answerMilliseconds = 20
        let gate = OperationGate()
        let test = try await ServerUnderTest(
            operations: .scripted(status: { () async throws(Problem) in await gate.pass() }), limits: limits)
        let client = try test.connect()
        client.send(Self.request)
        await gate.waitForStart()
        // Others come and go by the same timer.
        for _ in 1...3 {
            let other = try test.connect()
            #expect(try await other.receiveAll().isEmpty)
        }
        gate.release()
        #expect(try await client.receive()?.status == 200)
        await test.server.stop()
    }

    @Test("A connection that is over leaves its place") func connections() async throws {
        var limits = ServerLimits()
        (limits.connectionsOfOwner, limits.keptConnections) = (2, 0)
        let test = try await ServerUnderTest(limits: limits)
        var clients = [try test.connect(), try test.connect()]
        for client in clients {
            client.send(Self.request)
            #expect(try await client.receive()?.status == 200)
        }
        #expect(try await test.connect().receiveAll().contains("\"code\":\"too-many-requests\""))
        let last = clients.removeLast()
        last.send("GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        _ = try await last.receiveAll()
        var status: Int?
        for _ in 1...1000 where status != 200 {
            let client = try test.connect()
            client.send(Self.request)
            status = try await client.receive()?.status
        }
        #expect(status == 200)
        await test.server.stop()
    }

    private static let keptRequests = [
        ("GET /v1/status", 200), ("POST /v1/lock", 204), ("GET /v1/health", 429),
        ("GET /v1/profiles/prod/credentials", 429), ("GET /v1/nothing", 404),
    ]

    @Test("The kept connections answer once, and what is kept alone", arguments: keptRequests)
    func kept(line: String, status: Int) async throws {
        var limits = ServerLimits()
        (limits.connectionsOfOwner, limits.keptConnections) = (0, 4)
        let test = try await ServerUnderTest(limits: limits)
        let client = try test.connect()
        client.send("\(line) HTTP/1.1\r\nHost: x\r\n\r\n")
        let all = try await client.receiveAll()
        #expect(all.hasPrefix("HTTP/1.1 \(status) "))
        #expect(all.contains("Connection: close"))
        await test.server.stop()
    }

    @Test("Kept connections that say nothing make room for those that do") func silent() async throws {
        var limits = ServerLimits()
        // Half of them are for silent ones, and the last sixteen for those that have spoken before they are let in.
        (limits.connectionsOfOwner, limits.keptConnections) = (0, 64)
        limits.keptIdleMilliseconds = 60_000
        let test = try await ServerUnderTest(limits: limits)
        let silent = try (1...36).map { _ in try test.connect() }
        for oldest in silent.prefix(4) { #expect(try await oldest.receiveAll().isEmpty) }
        for _ in 1...10 {
            #expect(try await test.answer(to: "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")?.status == 200)
        }
        await test.server.stop()
    }

    @Test("One user's waiting requests are counted; what the cache has is answered all the same") func inFlight()
        async throws
    {
        var limits = ServerLimits()
        limits.owner.waitingPerUser = 1
        let gate = OperationGate()
        let test = try await ServerUnderTest(
            operations: .scripted(status: { () async throws(Problem) in await gate.pass() }), limits: limits)
        let first = try test.connect()
        first.send(Self.request)
        await gate.waitForStart()
        let second = try #require(try await test.answer(to: Self.request))
        #expect(second.status == 429)
        #expect(second.field("Retry-After") == "1")
        #expect(
            try await test.answer(to: "GET /v1/profiles/prod/credentials HTTP/1.1\r\nHost: x\r\n\r\n")?.status == 200)
        gate.release()
        #expect(try await first.receive()?.status == 200)
        #expect(try await test.answer(to: Self.request)?.status == 200)
        await test.server.stop()
    }

    /// The first bytes of a head that does not end.
    private static func incomplete(_ bytes: Int) -> String {
        let start = "GET /v1/health HTTP/1.1\r\nX: "
        return start + String(repeating: "y", count: bytes - start.utf8.count)
    }

    @Test(
        "One user's incomplete requests have a budget, all users' together another, and the owner's a third",
        arguments: [
            ([2000, 2000], [false, true]), ([2000, 2001], [false, false]), ([2000, 2001, 2002], [false, false, true]),
            ([1000, 1000, 1000], [false, false, true]), ([2000, 2001, 1000, 1000], [false, false, false, false]),
        ] as [([UInt32], [Bool])])
    func unanswered(uids: [UInt32], refused: [Bool]) async throws {
        var limits = ServerLimits()
        (limits.users.bytesPerUser, limits.users.bytes) = (10_000, 20_000)
        (limits.owner.bytesPerUser, limits.owner.bytes) = (20_000, 20_000)
        let callers = Mutex(uids[...])
        let test = try await ServerUnderTest(
            limits: limits, profiles: ["prod": AllowList(users: [2000, 2001, 2002], groups: [])],
            peer: { _ in callers.withLock { Peer(uid: $0.removeFirst(), gid: 1, pid: 9) } })
        var clients: [ServerTestClient] = []
        for isRefused in refused {
            let client = try test.connect()
            clients.append(client)
            client.send(Self.incomplete(8000))  // in a buffer of 8 or 16 KiB
            if isRefused {
                #expect(try await client.receive()?.status == 429)
            } else {
                await client.waitUntilRead()
            }
        }
        for (client, isRefused) in zip(clients, refused) where !isRefused {
            client.send("\r\nHost: x\r\n\r\n")
            #expect(try #require(try await client.receive()).status < 404)
        }
        await test.server.stop()
    }

    @Test("Refused and answered requests take no part of the budget") func answered() async throws {
        var limits = ServerLimits()
        (limits.owner.bytesPerUser, limits.owner.bytes) = (20_000, 20_000)
        let test = try await ServerUnderTest(limits: limits)
        for end in ["\r\nHost: x\r\n\r\n", "\n"] {
            for _ in 1...10 {
                let client = try test.connect()
                client.send(Self.incomplete(8000) + end)
                #expect(try await client.receive()?.status == (end == "\n" ? 400 : 200))
            }
        }
        await test.server.stop()
    }

    @Test("A peer that sends too much ahead is hung up on") func ahead() async throws {
        let gate = OperationGate()
        let test = try await ServerUnderTest(
            operations: .scripted(status: { () async throws(Problem) in await gate.pass() }))
        let client = try test.connect()
        client.send(Self.request)
        await gate.waitForStart()
        client.send(String(repeating: Self.request, count: 500))
        #expect(try await client.receiveAll().isEmpty)
        gate.release()
        #expect(test.audited.count <= 1)
        await test.server.stop()
    }

    @Test("Many callers wait at once for one answer, and each gets it") func many() async throws {
        let gate = OperationGate()
        let test = try await ServerUnderTest(operations: .scripted(credentialsAfter: gate))
        let clients = try (0..<300).map { _ in try test.connect() }
        for client in clients { client.send("GET /v1/profiles/prod/credentials HTTP/1.1\r\nHost: x\r\n\r\n") }
        await gate.waitForStart()
        gate.release()
        for client in clients { #expect(try await client.receive()?.status == 200) }
        await test.server.stop()
        #expect(test.audited.reduce(0) { $0 + 1 + $1.others } == 300)
        #expect(test.audited.count < 30)
    }
}
