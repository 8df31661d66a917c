import AgentAPI
import Foundation
import Synchronization
import Testing

@testable import Agent

@Suite struct ServerPeerTests {
    private final class Noted: Sendable {
        let all = Mutex<[String]>([])
    }

    private static func request(_ path: String) -> String { "\(path) HTTP/1.1\r\nHost: x\r\n\r\n" }

    @Test(
        "A peer that may ask for nothing is refused before it asks",
        arguments: [
            (0, .user), (1001, .user), (65_534, .user), (1001, .system), (65_534, .system),
        ] as [(UInt32, AgentScope)])
    func stranger(uid: UInt32, scope: AgentScope) async throws {
        let test = try await ServerUnderTest(scope: scope, peer: { _ in Peer(uid: uid, gid: uid, pid: 9) })
        let client = try test.connect()
        let all = try await client.receiveAll()
        #expect(all.hasPrefix("HTTP/1.1 403 Forbidden\r\n"))
        let record = try #require(test.audited.first)
        #expect(test.audited.count == 1)
        #expect(record.peer.uid == uid)
        #expect(record.route == nil)
        #expect(record.status == 403)
        await test.server.stop()
    }

    @Test("The bytes of a refused peer are not read, and it can read why it was refused") func unread() async throws {
        let test = try await ServerUnderTest(peer: { _ in Peer(uid: 1001, gid: 1001, pid: 9) })
        let client = try test.connect()
        client.send(String(repeating: Self.request("GET /v1/profiles/prod/credentials"), count: 100))
        let all = try await client.receiveAll()
        #expect(all.components(separatedBy: "HTTP/1.1 ").count == 2)
        #expect(all.contains(#""code":"forbidden""#))
        #expect(test.audited.count == 1)
        await test.server.stop()
    }

    @Test("A worker of the agent is hung up on, and what it has sent is not looked at") func worker() async throws {
        let test = try await ServerUnderTest(isWorker: { $0 == 7 })
        let client = try test.connect()
        client.send(Self.request("GET /v1/profiles/prod/credentials"))
        #expect(try await client.receiveAll().isEmpty)
        #expect(test.audited.map(\.isAttack) == [true])
        await test.server.stop()
    }

    @Test("A peer whom the kernel does not name is not served") func unknown() async throws {
        let test = try await ServerUnderTest(peer: { _ in throw Problem(.forbidden, "unknown") })
        let client = try test.connect()
        client.send(Self.request("GET /v1/health"))
        #expect(try await client.receiveAll().isEmpty)
        #expect(test.audited.isEmpty)
        await test.server.stop()
    }

    @Test(
        "A listed peer uses its profile and nothing else",
        arguments: [
            ("GET /v1/profiles/prod/credentials", 200),
            ("POST /v1/profiles/prod/refresh", 200),
            ("GET /v1/profiles/own/credentials", 403),
            ("GET /v1/profiles/unknown/credentials", 403),
            ("GET /v1/profiles/prod/explain", 403),
            ("GET /v1/profiles", 403),
            ("GET /v1/identities", 403),
            ("GET /v1/tokens", 403),
            ("POST /v1/tokens/unlock", 403),
            ("POST /v1/lock", 403),
            ("GET /v1/status", 403),
            ("GET /v1/health", 403),
        ], RequestArrival.allCases)
    func listed(row: (path: String, status: Int), arrival: RequestArrival) async throws {
        let (path, status) = row
        for peer in [
            Peer(uid: 2000, gid: 5, pid: 9), Peer(uid: 5, gid: 3000, pid: 9),
            Peer(uid: 5, gid: 5, pid: 9, groups: [4, 3000]),
        ] {
            let test = try await ServerUnderTest(
                profiles: ["prod": AllowList(users: [2000], groups: [3000]), "own": AllowList(users: [], groups: [])],
                peer: { _ in peer }, starts: false)
            let client = try await test.client(sending: Self.request(path), arrival)
            #expect(try await client.receive()?.status == status)
            #expect(test.audited.map(\.status) == [status])
            await test.server.stop()
        }
    }

    @Test(
        "A forced refresh counts as the owner's where the agent's own user asks, or root asks the system's agent",
        arguments: [
            (ServerUnderTest.own, .user, true), (2000, .user, false), (0, .system, true), (2000, .system, false),
        ]
            as [(UInt32, AgentScope, Bool)])
    func share(uid: UInt32, scope: AgentScope, isOwner: Bool) async throws {
        var operations = AgentOperations.scripted()
        operations.refresh = { (_, asOwner) throws(Problem) in
            throw Problem(.awsThrottled, asOwner ? "the owner's" : "another's")
        }
        let test = try await ServerUnderTest(
            operations: operations, scope: scope, profiles: ["prod": AllowList(users: [0, 2000], groups: [])],
            peer: { _ in Peer(uid: uid, gid: 9, pid: 9) })
        let answer = try await test.answer(to: Self.request("POST /v1/profiles/prod/refresh"))
        #expect(answer?.body.contains(isOwner ? "the owner's" : "another's") == true)
        await test.server.stop()
    }

    @Test("A problem told in place of credentials is noted with its peer, and nothing else is")
    func notedRefusals() async throws {
        var operations = AgentOperations.scripted()
        operations.credentials = { (_) throws(Problem) in throw Problem(.pinNeeded, "it needs its PIN") }
        operations.cachedCredentials = { _ in nil }
        let record = Noted()
        operations.noteRefusal = { problem, profile, peer in
            record.all.withLock { $0.append("\(problem.code.rawValue) \(profile) \(peer.uid)") }
        }
        let test = try await ServerUnderTest(
            operations: operations, profiles: ["prod": AllowList(users: [2000], groups: [])],
            peer: { _ in Peer(uid: 2000, gid: 9, pid: 9) })
        for path in [
            "GET /v1/profiles/prod/credentials", "POST /v1/profiles/prod/refresh", "GET /v1/status",
            "GET /v1/profiles/own/credentials",
        ] { _ = try await test.answer(to: Self.request(path)) }
        #expect(record.all.withLock { $0 } == ["pin-needed prod 2000", "forbidden own 2000"])
        await test.server.stop()
    }

    @Test("A stranger cannot tell a profile that is there from one that is not") func noOracle() async throws {
        let test = try await ServerUnderTest(
            profiles: ["prod": AllowList(users: [2000], groups: []), "own": AllowList(users: [], groups: [])],
            peer: { _ in Peer(uid: 2000, gid: 2000, pid: 9) })
        let known = try await test.answer(to: Self.request("GET /v1/profiles/own/credentials"))
        let unknown = try await test.answer(to: Self.request("GET /v1/profiles/nix/credentials"))
        #expect(known?.head == unknown?.head)
        #expect(known?.body == unknown?.body)
        await test.server.stop()
    }

    @Test("Root runs the system's agent, but uses no profile that does not list it") func root() async throws {
        let test = try await ServerUnderTest(scope: .system, peer: { _ in Peer(uid: 0, gid: 0, pid: 9) })
        #expect(try await test.answer(to: Self.request("GET /v1/status"))?.status == 200)
        #expect(try await test.answer(to: Self.request("GET /v1/profiles/prod/credentials"))?.status == 403)
        await test.server.stop()
    }

    @Test("A replaced policy holds from the next request on, on open connections as well") func replaced() async throws
    {
        let test = try await ServerUnderTest(peer: { _ in Peer(uid: 2000, gid: 2000, pid: 9) })
        let client = try test.connect()
        client.send(Self.request("GET /v1/profiles/prod/credentials"))
        #expect(try await client.receive()?.status == 200)
        _ = await test.server.reload(policy: Policy(agentUID: ServerUnderTest.own, scope: .user, profiles: [:]))
        client.send(Self.request("GET /v1/profiles/prod/credentials"))
        #expect(try await client.receive()?.status == 403)
        await test.server.stop()
    }

    @Test("Who loses a permission while credentials are under way does not get them") func lost() async throws {
        let gate = OperationGate()
        let test = try await ServerUnderTest(
            operations: .scripted(credentialsAfter: gate), peer: { _ in Peer(uid: 2000, gid: 2000, pid: 9) })
        let client = try test.connect()
        client.send(Self.request("GET /v1/profiles/prod/credentials"))
        await gate.waitForStart()
        _ = await test.server.reload(policy: Policy(agentUID: ServerUnderTest.own, scope: .user, profiles: [:]))
        gate.release()
        let answer = try #require(try await client.receive())
        #expect(answer.status == 403 && !answer.body.contains("ASIATEST"))
        await test.server.stop()
        #expect(test.audited.map(\.status) == [403])
    }

    @Test("The kernel names the caller, with its groups") func kernel() async throws {
        var pair: [CInt] = [0, 0]
        try unsafe #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        defer { for descriptor in pair { close(descriptor) } }
        let peer = try Peer.connected(to: pair[0])
        let count = getgroups(0, nil)
        let groups = unsafe [UInt32](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
            filled = Int(unsafe getgroups(count, buffer.baseAddress))
        }
        #expect(peer == Peer(uid: getuid(), gid: getgid(), pid: getpid(), groups: groups))
    }
}
