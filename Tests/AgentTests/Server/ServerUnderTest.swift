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

    /// - Parameters:
    ///   - peer: Who every caller shall be.
    ///   - starts: False: what clients send before `server.start()` is there when their connection is accepted.
    init(
        operations: AgentOperations = .scripted(), limits: ServerLimits = .patient, scope: AgentScope = .user,
        profiles: [String: AllowList] = ["prod": AllowList(users: [2000], groups: [3000])],
        peer: @escaping @Sendable (CInt) throws -> Peer = { _ in Peer(uid: own, gid: own, pid: 7) },
        isWorker: @escaping @Sendable (Int32) -> Bool = { _ in false }, consumers: [ListenerConfiguration] = [],
        folder: ServerTestFolder? = nil, starts: Bool = true,
        boot: @escaping @Sendable () -> Int64 = { 0 }
    ) async throws {
        let folder = try folder ?? ServerTestFolder()
        self.folder = folder
        let collected = Records()
        self.collected = collected
        var named: [ProfileName: AllowList] = [:]
        for (name, list) in profiles { if let name = ProfileName(name) { named[name] = list } }
        server = AgentServer(
            listener: try SocketListener(path: folder.socket, scope: scope),
            policy: Policy(agentUID: Self.own, scope: scope, profiles: named), consumers: consumers,
            operations: operations, limits: limits, peer: peer, isWorker: isWorker,
            audit: { record in collected.all.withLock { $0.append(record) } }, boot: boot)
        if starts { try await server.start() }
    }

    var audited: [AuditRecord] { collected.all.withLock { $0 } }

    func connect() throws -> ServerTestClient { try ServerTestClient(path: folder.socket) }

    /// Sends this and returns the first answer.
    func answer(to request: String) async throws -> ServerTestClient.Answer? {
        let client = try connect()
        client.send(request)
        return try await client.receive()
    }

    /// The same for a request that comes in this way. The connection ends with it: a refused one would be listened to.
    func answer(to request: String, _ arrival: RequestArrival) async throws -> ServerTestClient.Answer? {
        try await client(sending: request, arrival).receive()
    }

    /// Sends this, whole before the connection is accepted, or byte by byte afterwards. Needs a server that is not started.
    ///
    /// - Parameter socket: A consumer's, which is made with the start: then the request is there at the second look at most.
    func client(
        sending request: String, _ arrival: RequestArrival, to socket: String? = nil
    ) async throws -> ServerTestClient {
        if socket != nil { try await server.start() }
        let client = try ServerTestClient(path: socket ?? folder.socket)
        switch arrival {
        case .withConnection:
            client.send(request)
            try await server.start()
        case .byteByByte:
            try await server.start()
            let bytes = Array(request.utf8)
            let size = bytes.count > 4096 ? 1024 : 1  // byte by byte, a long head would be late
            for start in stride(from: 0, to: bytes.count, by: size) {
                client.send(Array(bytes[start...].prefix(size)))
                await client.waitUntilRead()
            }
        }
        return client
    }
}

/// How a request comes: the acceptor answers the one, and an event loop the other.
enum RequestArrival: CaseIterable {
    case withConnection, byteByByte
}

extension AgentOperations {
    static let issued = IssuedCredentials(
        json: Array(#"{"Version":1,"AccessKeyId":"ASIATEST"}"#.utf8),
        endpointJSON: Array(#"{"AccessKeyId":"ASIATEST"}"#.utf8), accessKeyID: "ASIATEST",
        expiration: 1_700_000_000)

    /// Answers everything at once, credentials from the cache; each part can be replaced.
    static func scripted(
        cached: @escaping @Sendable (ProfileName) -> IssuedCredentials? = { _ in issued },
        credentials: @escaping @Sendable (ProfileName) async throws(Problem) -> IssuedCredentials = {
            (_) async throws(Problem) in issued
        },
        held: @escaping @Sendable (ProfileName) async throws(Problem) -> IssuedCredentials = {
            (_) async throws(Problem) in issued
        },
        unlock: @escaping AgentOperations.Unlock = { (_, _, _) async throws(Problem) in },
        lock: @escaping @Sendable (String?) async throws(Problem) -> Void = { (_) async throws(Problem) in },
        status: @escaping @Sendable () async throws(Problem) -> Void = { () async throws(Problem) in }
    ) -> AgentOperations {
        AgentOperations(
            cachedCredentials: cached, credentials: credentials, heldCredentials: held,
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
            status: { () async throws(Problem) in
                try await status()
                return Status { ($0.version, $0.pid, $0.uptimeSeconds) = ("1", 1, 1) }
            },
            certificates: CertificateOperations(
                find: { (_) async throws(Problem) in [] },
                request: { (body) async throws(Problem) in body.subject },
                install: { (_) async throws(Problem) in CertificateInstallListing() },
                remove: { (_) async throws(Problem) in }),
            keys: KeyOperations(
                list: { () async throws(Problem) in [] }, generate: { (_) async throws(Problem) in KeyListing() },
                bring: { (_) async throws(Problem) in KeyImportListing() },
                verify: { (_) async throws(Problem) in KeyListing() },
                destroy: { (_) async throws(Problem) in KeyListing() }))
    }
}

extension AgentOperations {
    /// Has no credentials in the cache, and answers with new ones when the gate lets them pass.
    static func scripted(credentialsAfter gate: OperationGate) -> AgentOperations {
        scripted(
            cached: { _ in nil },
            credentials: { (_) async throws(Problem) in
                await gate.pass()
                return issued
            })
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

extension AgentServer {
    /// Both steps of a reload.
    ///
    /// - Returns: Why some consumers' sockets do not listen.
    func reload(policy: Policy, consumers: [ListenerConfiguration] = []) async -> [String] {
        await replace(policy: policy, consumers: consumers)
        return await openConsumers()
    }
}

extension ServerLimits {
    /// For tests of other things than time: requests may come slowly where the machine is busy.
    static let patient: ServerLimits = {
        var limits = ServerLimits()
        (limits.headMilliseconds, limits.bodyMilliseconds) = (60_000, 60_000)
        return limits
    }()
}
