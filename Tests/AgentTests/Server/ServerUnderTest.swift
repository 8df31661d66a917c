import AgentAPI
import Foundation
import Synchronization
import TokenService

@testable import Agent

/// A server on a socket in a folder of its own.
final class ServerUnderTest: Sendable {
    static let own: UInt32 = 1000

    let folder: ServerTestFolder
    let server: AgentServer
    private final class Records: Sendable {
        let all = Mutex<[AuditRecord]>([])
    }
    private let collected: Records

    /// - Parameter peer: Who every caller shall be.
    init(
        operations: AgentOperations = .scripted(), limits: ServerLimits = ServerLimits(), scope: AgentScope = .user,
        profiles: [String: AllowList] = ["prod": AllowList(users: [2000], groups: [3000])],
        peer: @escaping @Sendable (CInt) throws -> Peer = { _ in Peer(uid: own, gid: own, pid: 7) },
        isWorker: @escaping @Sendable (Int32) -> Bool = { _ in false }
    ) async throws {
        folder = try ServerTestFolder()
        let collected = Records()
        self.collected = collected
        var named: [ProfileName: AllowList] = [:]
        for (name, list) in profiles { if let name = ProfileName(name) { named[name] = list } }
        server = AgentServer(
            listener: try SocketListener(path: folder.socket, scope: scope),
            policy: Policy(agentUID: Self.own, scope: scope, profiles: named), operations: operations, limits: limits,
            peer: peer, isWorker: isWorker, audit: { record in collected.all.withLock { $0.append(record) } })
        try await server.start()
    }

    var audited: [AuditRecord] { collected.all.withLock { $0 } }

    func connect() throws -> ServerTestClient { try ServerTestClient(path: folder.socket) }

    /// Sends this and returns the first answer.
    func answer(to request: String) async throws -> ServerTestClient.Answer? {
        let client = try connect()
        client.send(request)
        return try await client.receive()
    }
}

extension AgentOperations {
    static let issued = IssuedCredentials(
        json: Array(#"{"Version":1,"AccessKeyId":"ASIATEST"}"#.utf8), accessKeyID: "ASIATEST",
        expiration: 1_700_000_000)

    /// Answers everything at once, credentials from the cache; each part can be replaced.
    static func scripted(
        cached: @escaping @Sendable (ProfileName) -> IssuedCredentials? = { _ in issued },
        credentials: @escaping @Sendable (ProfileName) async throws(Problem) -> IssuedCredentials = {
            (_) async throws(Problem) in issued
        },
        unlock: @escaping AgentOperations.Unlock = { (_, _, _) async throws(Problem) in },
        lock: @escaping @Sendable (String?) async throws(Problem) -> Void = { (_) async throws(Problem) in },
        health: @escaping @Sendable () async throws(Problem) -> Void = { () async throws(Problem) in }
    ) -> AgentOperations {
        AgentOperations(
            cachedCredentials: cached, credentials: credentials,
            refresh: { (name, _) throws(Problem) in try await credentials(name) },
            explain: { (_) async throws(Problem) in
                [
                    ExplainedCandidate {
                        ($0.uri, $0.subject, $0.serial) = ("", "CN=a", "1")
                        ($0.notAfter, $0.chosen) = ("", true)
                    }
                ]
            },
            profiles: { () async throws(Problem) in [] }, identities: { () async throws(Problem) in [] },
            tokens: { () async throws(Problem) in [] }, unlock: unlock, lock: lock,
            reload: { () async throws(Problem) in },
            status: { () async throws(Problem) in Status { ($0.version, $0.pid, $0.uptimeSeconds) = ("1", 1, 1) } },
            health: health)
    }
}

/// Lets a test hold an operation, and know that it has begun.
final class OperationGate: Sendable {
    private let started = AsyncStream.makeStream(of: Void.self)
    private let released = AsyncStream.makeStream(of: Void.self)

    /// For the operation.
    func pass() async {
        started.continuation.yield()
        for await _ in released.stream { return }
    }

    func waitForStart() async {
        for await _ in started.stream { return }
    }

    /// Lets everyone through, from now on.
    func release() { released.continuation.finish() }
}
