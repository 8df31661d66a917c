import AgentAPI
import Glibc
import NIOCore
import NIOPosix

/// The HTTP server on the agent's Unix socket, on an event loop of its own.
package actor AgentServer {
    private enum State {
        case idle
        case running(any Channel, NIOLoopBound<ServerCore>, LoopGate)
        case stopped
    }

    private let listener: SocketListener
    private let operations: AgentOperations
    private let limits: ServerLimits
    private let peer: @Sendable (CInt) throws -> Peer
    private let audit: @Sendable (AuditRecord) -> Void
    private let warn: @Sendable (String) -> Void
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private var policy: Policy
    private var state = State.idle

    /// - Parameters:
    ///   - peer: Who is at the other end of a connected socket.
    ///   - audit: Called on the event loop for each decision, so it must not wait.
    ///   - warn: Called there as well, for what keeps callers waiting.
    package init(
        listener: SocketListener, policy: Policy, operations: AgentOperations, limits: ServerLimits = ServerLimits(),
        peer: @escaping @Sendable (CInt) throws -> Peer = { try Peer.connected(to: $0) },
        audit: @escaping @Sendable (AuditRecord) -> Void, warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.listener = listener
        self.policy = policy
        self.operations = operations
        self.limits = limits
        self.peer = peer
        self.audit = audit
        self.warn = warn
    }

    /// Starts to answer. Raises the limit on descriptors; connections stay some below it.
    package func start() async throws {
        guard case .idle = state, let descriptor = listener.claim() else { return }
        var limits = limits
        limits.connections = min(limits.connections, max(1, DescriptorLimit.raise() - Self.ownDescriptors))
        // One user, allowed or not, must leave room for the others however few descriptors there are.
        limits.connectionsPerUser = min(limits.connectionsPerUser, max(1, limits.connections * 4 / 5))
        let loop = group.next()
        let gate = LoopGate(loop)
        let core = try await loop.submit { [limits, policy, operations, audit] in
            NIOLoopBound(
                ServerCore(
                    eventLoop: loop, policy: policy, operations: operations, limits: limits, gate: gate, audit: audit),
                eventLoop: loop)
        }.get()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .serverChannelInitializer { [warn] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(warn: warn))
                }
            }
            // A request is some hundred bytes, and each connection keeps a buffer of this size.
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1024))
            // A peer that ends its side may still read its answer; one that is gone is seen all the same (EPOLLHUP).
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [peer] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    let caller = try pipeline.withUnsafeTransportIfAvailable { (socket: CInt) in
                        try peer(socket)
                    }
                    guard let caller else { throw Problem(.forbidden, "the kernel does not say who is calling") }
                    try pipeline.addHandler(ConnectionHandler(core: core.value, peer: caller))
                }
            }
            .withBoundSocket(descriptor).get()
        // NIO has listened once more, before it looks at any option, and made the queue 128 long.
        _ = listen(descriptor, SocketListener.backlog)  // at worst that stays
        state = .running(channel, core, gate)
    }

    /// Decides by another policy from the next request on.
    package func replace(policy: Policy) async {
        self.policy = policy
        guard case .running(_, let core, _) = state else { return }
        // It fails only when the loop has ended, and then nobody asks any more.
        try? await core.eventLoop.submit { core.value.policy = policy }.get()
    }

    /// Keeps credentials of these profiles (nil: of all) from going out where they are on their way: an operation that has
    /// them already answers "locked", and a peer that does not read its answer is hung up on.
    package func withdrawCredentials(of profiles: Set<ProfileName>?) async {
        guard case .running(_, let core, _) = state else { return }
        // As above.
        try? await core.eventLoop.submit { core.value.withdrawCredentials(of: profiles) }.get()
    }

    /// Returns when the event loop has had a turn.
    func takeTurn() async {
        guard case .running(_, let core, _) = state else { return }
        // It fails only when the loop has ended, which nobody waits for.
        try? await core.eventLoop.submit {}.get()
    }

    /// Takes no more connections, ends the idle ones, gives the others their answer for some seconds, and removes the
    /// socket.
    package func stop() async {
        guard case .running(let channel, let core, let gate) = state else { return }
        state = .stopped
        listener.removeName()
        let loop = core.eventLoop
        let abandon = loop.scheduleTask(in: .milliseconds(limits.stopMilliseconds)) { core.value.abandon() }
        // Errors mean that the thing has ended already.
        try? await channel.close().get()
        try? await loop.flatSubmit { core.value.stop() }.get()
        abandon.cancel()
        gate.close()
        try? await group.shutdownGracefully()
    }

    /// For the workers' channels, the log, TLS to AWS and the C library.
    private static let ownDescriptors = 256
}
