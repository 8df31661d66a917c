import AgentAPI
import Glibc

/// Limits for one connection, one user and all users together. The defaults let 10,000 callers of the agent's own user
/// wait, and keep room for that user whatever others do.
package struct ServerLimits: Sendable {
    /// Bytes of request line and header fields.
    package var headBytes = 16_384
    package var headerFields = 64
    /// Bytes that a peer may send ahead of the answer that it waits for.
    package var pipelinedBytes = 16_384

    /// Connections of the agent's own user (and of root, for the system agent); and those that are kept for them beyond
    /// that, for `lock`, `unlock` and `status`.
    package var connectionsOfOwner = 12_000
    package var keptConnections = 64
    /// Connections of one other user, and of all other users together.
    package var connectionsPerUser = 128
    package var connectionsOfUsers = 2_936

    package var owner = Share(waitingPerUser: 12_000, bytesPerUser: 12 << 20, bytes: 12 << 20)
    package var users = Share(waitingPerUser: 16, bytesPerUser: 1 << 20, bytes: 4 << 20)

    /// How many refused connections a second are told why, of one user and of all; more are ended without a word.
    package var toldPerUserAndSecond = 32
    package var toldPerSecond = 128
    /// How long the audit log has no second line of one kind.
    package var lineMilliseconds: Int64 = 1000

    /// How long a request's head may take from its first byte on.
    package var headMilliseconds: Int64 = 5000
    /// How long the body may take from the end of the head on.
    package var bodyMilliseconds: Int64 = 5000
    /// How long a connection may say nothing.
    package var idleMilliseconds: Int64 = 30_000
    /// How long one of those that are kept may say nothing.
    package var keptIdleMilliseconds: Int64 = 1000
    /// How long a peer may take to read its answer.
    package var answerMilliseconds: Int64 = 10_000
    /// How long, and for how many bytes, a refused peer is listened to, so that it can read why before the reset.
    package var lingerMilliseconds: Int64 = 1000
    package var lingerBytes = 262_144
    /// A load of this many connections is a flood: memory goes back to the kernel when three quarters of them are gone.
    package var flood = 1000
    /// How long requests may go on after `stop`.
    package var stopMilliseconds: Int64 = 5000

    /// The share of the agent's memory and time that its own user, or all others together, may take.
    package struct Share: Hashable, Sendable {
        /// Requests of one user that wait for something slower than the cache.
        package var waitingPerUser: Int
        /// Memory for what one user, and all together, have sent and were not answered yet.
        package var bytesPerUser: Int
        package var bytes: Int
    }

    package init() {}
}

extension ServerLimits {
    /// For the workers' channels, the log, TLS to AWS, the C library, and the connections that are told why they end.
    private static let ownDescriptors = 320

    /// The same, for a process that may have only so many descriptors: each connection needs one.
    func fitting(descriptors: Int) -> ServerLimits {
        let connections = max(8, max(descriptors - Self.ownDescriptors, descriptors / 4))
        guard connections < connectionsOfOwner + keptConnections + connectionsOfUsers else { return self }
        var fitting = self
        fitting.keptConnections = min(keptConnections, connections / 4)
        fitting.connectionsOfUsers = min(connectionsOfUsers, connections / 8)
        fitting.connectionsOfOwner = min(
            connectionsOfOwner, connections - fitting.keptConnections - fitting.connectionsOfUsers)
        // Two users together are not all users.
        fitting.connectionsPerUser = min(connectionsPerUser, max(1, fitting.connectionsOfUsers / 3))
        fitting.toldPerSecond = min(toldPerSecond, max(1, connections / 2))
        fitting.toldPerUserAndSecond = min(toldPerUserAndSecond, max(1, connections / 4))
        return fitting
    }

    /// The answer to a user who has no connection left.
    func isFull(_ uid: UInt32) -> Problem {
        Problem(
            .tooManyRequests, "uid \(uid, .uid) has too many connections, or the agent has", hint: "close some of them",
            retryAfter: 1)
    }
}

/// How many descriptors this process may have (RLIMIT_NOFILE, getrlimit(2)).
enum DescriptorLimit {
    /// Raises the soft limit to the hard one: each idle connection needs one.
    ///
    /// - Returns: The limit now.
    @discardableResult
    static func raise() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0 else { return 1024 }
        var wanted = limit
        // Beyond a million they are tables that cost memory, and connections that we do not take.
        wanted.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, 1_048_576))
        let current = unsafe setrlimit(resource, &wanted) == 0 ? wanted.rlim_cur : limit.rlim_cur
        return Int(clamping: current)
    }
}
