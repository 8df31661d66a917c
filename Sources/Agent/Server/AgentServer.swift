import AgentAPI
import Glibc
import NIOCore
import NIOPosix

/// The HTTP server on the agent's Unix socket: a thread that takes connections, and two event loops that answer, one of
/// them for the agent's own user alone.
package actor AgentServer {
    private enum State {
        case idle
        case running(Acceptor, accepting: Task<Void, Never>, [NIOLoopBound<ServerCore>])
        case stopped
    }

    private let listener: SocketListener
    private let operations: AgentOperations
    private let limits: ServerLimits
    private let peer: @Sendable (CInt) throws -> Peer
    private let isWorker: @Sendable (Int32) -> Bool
    private let audit: @Sendable (AuditRecord) -> Void
    private let warn: @Sendable (String) -> Void
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    private var policy: Policy
    private var state = State.idle

    /// - Parameters:
    ///   - peer: The process at the other end of a connected socket.
    ///   - isWorker: Whether this is the number of a process that the agent has started for a module: it is no peer.
    ///   - audit: Called on the server's threads for each decision, so it must not wait.
    ///   - warn: Called there as well, for what keeps callers waiting.
    package init(
        listener: SocketListener, policy: Policy, operations: AgentOperations, limits: ServerLimits = ServerLimits(),
        peer: @escaping @Sendable (CInt) throws -> Peer = { try Peer.connected(to: $0) },
        isWorker: @escaping @Sendable (Int32) -> Bool = { _ in false },
        audit: @escaping @Sendable (AuditRecord) -> Void, warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.listener = listener
        self.policy = policy
        self.operations = operations
        self.limits = limits
        self.peer = peer
        self.isWorker = isWorker
        self.audit = audit
        self.warn = warn
    }

    /// Starts to answer. Raises the limit on descriptors; connections stay some below it.
    package func start() async throws {
        guard case .idle = state, let descriptor = listener.claim() else { return }
        let limits = limits.fitting(descriptors: DescriptorLimit.raise())
        let acceptor: Acceptor
        do {
            acceptor = try Acceptor(
                descriptor: descriptor, entrance: Entrance(policy: policy, limits: limits), peer: peer,
                isWorker: isWorker, audit: audit, warn: warn)
        } catch {
            close(descriptor)
            throw error
        }
        let owners = try await core(limits.owner, limits, acceptor)
        let users = try await core(limits.users, limits, acceptor)
        let accepting = Task {  // ends in `stop`, which awaits it
            await acceptor.run { connections in
                for (core, isOwners) in [(owners, true), (users, false)] {
                    let own = connections.filter { $0.isOwner == isOwners }
                    if !own.isEmpty { core.eventLoop.execute { own.forEach(core.value.take) } }
                }
            }
        }
        state = .running(acceptor, accepting: accepting, [owners, users])
    }

    private func core(
        _ share: ServerLimits.Share, _ limits: ServerLimits, _ acceptor: Acceptor
    ) async throws -> NIOLoopBound<ServerCore> {
        let loop = group.next()
        return try await loop.submit { [policy, operations, audit] in
            NIOLoopBound(
                ServerCore(
                    eventLoop: loop, policy: policy, operations: operations, limits: limits, share: share,
                    leave: { acceptor.leave($0) }, audit: audit),
                eventLoop: loop)
        }.get()
    }

    /// Decides by another policy from the next request on.
    package func replace(policy: Policy) async {
        self.policy = policy
        guard case .running(let acceptor, _, let cores) = state else { return }
        acceptor.replace(policy: policy)
        await onLoops(of: cores) { $0.policy = policy }
    }

    /// Keeps credentials of these profiles (nil: of all) from going out where they are on their way: an operation that has
    /// them already answers "locked", and a peer that does not read its answer is hung up on.
    package func withdrawCredentials(of profiles: Set<ProfileName>?) async {
        guard case .running(_, _, let cores) = state else { return }
        await onLoops(of: cores) { $0.withdrawCredentials(of: profiles) }
    }

    /// Returns when the event loops have had a turn.
    func takeTurn() async {
        guard case .running(_, _, let cores) = state else { return }
        await onLoops(of: cores) { _ in }
    }

    /// Takes no more connections, ends the idle ones, gives the others their answer for some seconds, and removes the
    /// socket.
    package func stop() async {
        guard case .running(let acceptor, let accepting, let cores) = state else { return }
        state = .stopped
        listener.removeName()
        acceptor.stop()
        await accepting.value
        let abandoning = cores.map { core in
            core.eventLoop.scheduleTask(in: .milliseconds(limits.stopMilliseconds)) { core.value.abandon() }
        }
        for core in cores { try? await core.eventLoop.flatSubmit { core.value.stop() }.get() }
        for task in abandoning { task.cancel() }
        await onLoops(of: cores) {
            $0.writeRest()
            $0.gate.close()
        }
        // An error means that it has ended already.
        try? await group.shutdownGracefully()
    }

    private func onLoops(
        of cores: [NIOLoopBound<ServerCore>], _ body: @escaping @Sendable (ServerCore) -> Void
    ) async {
        // It fails only when the loop has ended, and then there are no more requests.
        for core in cores { try? await core.eventLoop.submit { body(core.value) }.get() }
    }
}
