import AgentAPI
import Foundation
import Testing

@testable import Agent

@Suite("Sockets of consumers") struct ServerConsumerTests {
    private static func request(_ path: String) -> String { "\(path) HTTP/1.1\r\nHost: x\r\n\r\n" }

    private static let (ci, own) = (ProfileName("ci"), ProfileName("own"))

    /// A server with two profiles that allow no user, and a consumer's socket in its folder; not started.
    private static func server(
        uid: UInt32 = 100_000, allow: AllowList? = nil, limits: ServerLimits = ServerLimits(),
        peer: (@Sendable (CInt) throws -> Peer)? = nil
    ) async throws -> (test: ServerUnderTest, socket: String) {
        let folder = try ServerTestFolder()
        let socket = "\(folder.path)/consumer.sock"
        let consumer = ListenerConfiguration(
            .socket(SocketFile(path: socket, mode: 0o660)), profiles: Set([ci].compactMap(\.self)), allow: allow)
        let none = AllowList()
        let test = try await ServerUnderTest(
            limits: limits, profiles: ["ci": none, "own": none],
            peer: peer ?? { _ in Peer(uid: uid, gid: uid, pid: 9) }, consumers: [consumer], folder: folder,
            starts: false)
        return (test, socket)
    }

    @Test(
        "Whoever reaches it gets the credentials of its profiles, and nothing else",
        arguments: [
            ("GET /v1/profiles/ci/credentials", 200), ("GET /v1/profiles/own/credentials", 404),
            ("GET /v1/profiles/other/credentials", 404), ("POST /v1/profiles/ci/refresh", 403),
            ("GET /v1/profiles/ci/explain", 403), ("GET /v1/profiles", 403), ("GET /v1/status", 403),
            ("GET /v1/health", 403), ("POST /v1/lock", 403), ("POST /v1/tokens/unlock", 403),
            ("POST /v1/reload", 403), ("GET /v1/identities", 403), ("GET /v1/tokens", 403), ("GET /v1/other", 404),
        ], RequestArrival.allCases)
    func credentialsAlone(row: (path: String, status: Int), arrival: RequestArrival) async throws {
        // The agent's own user, the agent's root, a number of a container's, and one that has no number here.
        for uid in [ServerUnderTest.own, 0, 100_000, 65_534] {
            let (test, socket) = try await Self.server(uid: uid)
            let client = try await test.client(sending: Self.request(row.path), arrival, to: socket)
            let answer = try #require(try await client.receive())
            #expect(answer.status == row.status)
            #expect(answer.body.contains("ASIATEST") == (row.status == 200))
            #expect(test.audited.allSatisfy { $0.listener == socket })
            await test.server.stop()
        }
    }

    @Test(
        "With allow, it serves those alone", arguments: [(2000, 200), (100_000, 403), (65_534, 403), (1000, 403)],
        RequestArrival.allCases)
    func narrowed(row: (uid: UInt32, status: Int), arrival: RequestArrival) async throws {
        let (test, socket) = try await Self.server(
            uid: row.uid, allow: AllowList(users: [2000, 65_534], groups: []))
        let client = try await test.client(
            sending: Self.request("GET /v1/profiles/ci/credentials"), arrival, to: socket)
        #expect(try await client.receive()?.status == row.status)
        await test.server.stop()
    }

    @Test("What a consumer asks for has no person act, whatever its number is") func persons() throws {
        let ci = try #require(Self.ci)
        let touched = AllowList(users: [2000], groups: [], gestures: true)
        for (allow, expected) in [(AllowList(), false), (touched, true)] {
            let policy = Policy(agentUID: 1000, scope: .user, profiles: [ci: allow]).serving(
                ListenerConfiguration(
                    .socket(SocketFile(path: "/run/x", mode: 0o600)), profiles: [ci]))
            let peer = Peer(uid: 1000, gid: 1000, pid: 9)
            #expect(!policy.isPerson(peer))
            #expect(!policy.isOwner(peer))
            #expect(policy.allowsGestures(for: peer, profile: ci) == expected)
        }
    }

    @Test("It has its mode from the start, and goes with the server") func file() async throws {
        let (test, socket) = try await Self.server()
        try await test.server.start()
        let mode = try FileManager.default.attributesOfItem(atPath: socket)[.posixPermissions] as? Int
        #expect(mode == 0o660)
        await test.server.stop()
        #expect(!FileManager.default.fileExists(atPath: socket))
    }

    @Test("A socket that cannot be made is an error at start, and then none is served") func atStart() async throws {
        let (test, socket) = try await Self.server()
        try Data().write(to: URL(filePath: socket))
        await #expect(throws: ListenerError.unusable(path: socket, reason: "a regular file is in the socket's place")) {
            try await test.server.start()
        }
    }

    @Test("A reload opens sockets, closes others, keeps the same ones, and names those that cannot be opened")
    func reload() async throws {
        let (test, socket) = try await Self.server()
        let own = try #require(Self.own)
        try await test.server.start()
        let client = try ServerTestClient(path: socket)
        client.send(Self.request("GET /v1/profiles/ci/credentials"))
        #expect(try await client.receive()?.status == 200)

        let second = "\(test.folder.path)/second.sock"
        let broken = "\(test.folder.path)/none/there.sock/x"
        let none = AllowList()
        let policy = Policy(
            agentUID: ServerUnderTest.own, scope: .user, profiles: [own: none])
        let failures = await test.server.reload(
            policy: policy,
            consumers: [socket, second, broken].map {
                ListenerConfiguration(
                    .socket(SocketFile(path: $0, mode: 0o660)), profiles: [own])
            })
        #expect(failures.count == 1 && failures.first?.hasPrefix(broken.dropLast(2)) == true, "\(failures)")
        // The connection that was open asks under the new rules.
        client.send(Self.request("GET /v1/profiles/ci/credentials"))
        #expect(try await client.receive()?.status == 404)
        client.send(Self.request("GET /v1/profiles/own/credentials"))
        #expect(try await client.receive()?.status == 200)
        let other = try ServerTestClient(path: second)
        other.send(Self.request("GET /v1/profiles/own/credentials"))
        #expect(try await other.receive()?.status == 200)

        #expect(await test.server.reload(policy: policy).isEmpty)
        #expect(try await client.receiveAll().isEmpty)
        #expect(try await other.receiveAll().isEmpty)
        #expect(throws: ServerTestClient.Failure.self) { try ServerTestClient(path: socket) }
        #expect(!FileManager.default.fileExists(atPath: second))
        await test.server.stop()
    }

    @Test("A reload that closes a socket ends a connection that an event loop gets only afterwards")
    func late() async throws {
        var limits = ServerLimits()
        limits.idleMilliseconds = 600_000  // longer than the client waits
        let (accepted, released) = (AsyncStream.makeStream(of: Void.self), DispatchSemaphore(value: 0))
        let (test, socket) = try await Self.server(
            limits: limits,
            peer: { _ in
                accepted.continuation.yield()
                released.wait()
                return Peer(uid: 100_000, gid: 100_000, pid: 9)
            })
        try await test.server.start()
        let client = try ServerTestClient(path: socket)
        for await _ in accepted.stream { break }
        let policy = Policy(agentUID: ServerUnderTest.own, scope: .user, profiles: [:])
        #expect(await test.server.reload(policy: policy).isEmpty)
        released.signal()
        #expect(try await client.receiveAll().isEmpty)
        await test.server.stop()
    }
}
