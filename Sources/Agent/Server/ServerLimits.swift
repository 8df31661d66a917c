/// What one connection, one user and everybody together may take. The defaults let 10,000 callers of one user wait.
package struct ServerLimits: Sendable {
    /// Bytes of request line and header fields.
    package var headBytes = 16_384
    package var headerFields = 64
    /// Bytes that a peer may send ahead of the answer that it waits for.
    package var pipelinedBytes = 16_384

    /// Memory for what one user, and all users together, have sent and were not answered yet: one share for the agent's
    /// own user (and root, for the system agent), and one for all others.
    package var unansweredBytesPerUser = 1 << 20
    package var unansweredBytes = 4 << 20
    package var unansweredBytesOfOwner = 12 << 20

    package var connectionsPerUser = 12_000
    /// Requests of one user that wait for something slower than the cache.
    package var waitingPerUser = 12_000
    /// Of everybody; never more than the limit on descriptors leaves.
    package var connections = 15_000

    /// Connections of one user, and of everybody, who may ask for nothing: more are ended without a word.
    package var deniedPerUser = 32
    package var denied = 256
    /// How long the audit log has no other line about a user who may ask for nothing.
    package var deniedLineMilliseconds: Int64 = 1000

    /// How long a request's head may take from its first byte on.
    package var headMilliseconds: Int64 = 5000
    /// How long the body may take from the end of the head on.
    package var bodyMilliseconds: Int64 = 5000
    /// How long a connection may say nothing.
    package var idleMilliseconds: Int64 = 30_000
    /// How long a peer may take to read its answer.
    package var answerMilliseconds: Int64 = 10_000
    /// How long, and for how many bytes, a refused peer is listened to, so that it can read why before the reset.
    package var lingerMilliseconds: Int64 = 1000
    package var lingerBytes = 262_144
    /// A load of this many connections is a flood: memory goes back to the kernel when three quarters of them are gone.
    package var flood = 1000
    /// How long requests may go on after `stop`.
    package var stopMilliseconds: Int64 = 5000

    package init() {}
}
