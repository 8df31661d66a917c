import AgentAPI
import Clocks
import Files
import Glibc
import NIOCore
import NIOPosix

/// The HTTP server on the agent's Unix socket and for consumers, on sockets and on loopback: for each a thread that takes connections and
/// answers what needs no wait, and for all together two event loops that answer the rest, one of them for the agent's
/// own user alone.
actor AgentServer {
    private enum State {
        case idle
        case running(Running)
        case stopped
    }

    private struct Running {
        let responder: Responder
        let owners: NIOLoopBound<ServerCore>
        let users: NIOLoopBound<ServerCore>
        var sockets: [Socket] = []

        var cores: [NIOLoopBound<ServerCore>] { [owners, users] }
    }

    /// A socket that connections are taken from.
    private struct Socket {
        let listener: Listener
        /// Nil: the agent's own.
        let consumer: ListenerConfiguration?
        let acceptor: Acceptor
    }

    private let listener: SocketListener
    private let operations: AgentOperations
    private let limits: ServerLimits
    private let peer: @Sendable (CInt) throws -> Peer
    private let isWorker: @Sendable (Int32) -> Bool
    private let audit: @Sendable (AuditRecord) -> Void
    private let warn: @Sendable (String) -> Void
    private let boot: @Sendable () -> Int64
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    private var policy: Policy
    private var consumers: [ListenerConfiguration]
    private var state = State.idle
    /// All whose thread may still run, those of closed sockets among them; `stop` awaits them.
    private var accepting: [(acceptor: Acceptor, task: Task<Void, Never>)] = []

    /// - Parameters:
    ///   - consumers: Sockets to listen on beside `listener`.
    ///   - peer: The process at the other end of a connected socket.
    ///   - isWorker: Whether this is the number of a process that the agent has started for a module: it is no peer.
    ///   - audit: Called on the server's threads for each decision, so it must not wait.
    ///   - warn: Called there as well, for what keeps callers waiting.
    ///   - boot: Boot time in milliseconds.
    init(
        listener: SocketListener, policy: Policy, consumers: [ListenerConfiguration] = [],
        operations: AgentOperations, limits: ServerLimits = ServerLimits(),
        peer: @escaping @Sendable (CInt) throws -> Peer = { try Peer.connected(to: $0) },
        isWorker: @escaping @Sendable (Int32) -> Bool = { _ in false },
        audit: @escaping @Sendable (AuditRecord) -> Void, warn: @escaping @Sendable (String) -> Void = { _ in },
        boot: @escaping @Sendable () -> Int64 = AgentClock.system.boot
    ) {
        self.listener = listener
        self.policy = policy
        self.consumers = consumers
        self.operations = operations
        self.limits = limits
        self.peer = peer
        self.isWorker = isWorker
        self.audit = audit
        self.warn = warn
        self.boot = boot
    }

    /// Starts to answer. Raises the limit on descriptors; connections stay some below it.
    ///
    /// - Throws: `ListenerError` when a consumer's socket cannot be made; then none is served.
    func start() async throws {
        guard case .idle = state else { return }
        let listeners = try consumers.map { (try Listener(for: $0, at: boot()), $0 as ListenerConfiguration?) }
        let responder = Responder(
            operations: operations, limits: limits.fitting(descriptors: DescriptorLimit.raise()),
            audit: AuditLog(milliseconds: limits.lineMilliseconds, eventLoop: group.next(), write: audit))
        var running = Running(
            responder: responder, owners: try await core(responder, responder.limits.owner),
            users: try await core(responder, responder.limits.users))
        for (listener, consumer) in [(.socket(listener), nil)] + listeners {
            try open(listener, for: consumer, in: &running)
        }
        state = .running(running)
    }

    private func core(_ responder: Responder, _ share: ServerLimits.Share) async throws -> NIOLoopBound<ServerCore> {
        let loop = group.next()
        return try await loop.submit {
            NIOLoopBound(ServerCore(eventLoop: loop, responder: responder, share: share), eventLoop: loop)
        }.get()
    }

    private func open(
        _ listener: Listener, for consumer: ListenerConfiguration?, in running: inout Running
    ) throws {
        guard let descriptor = listener.claim() else { return }
        let acceptor: Acceptor
        do {
            acceptor = try Acceptor(
                descriptor: descriptor, policy: consumer.map(policy.serving) ?? policy, responder: running.responder,
                tokens: listener.tokens, peer: listener.peer ?? peer, isWorker: isWorker, warn: warn)
        } catch {
            close(descriptor)
            throw error
        }
        let (owners, users) = (running.owners, running.users)
        let task = Task {  // ends in `stop`, which awaits it
            await acceptor.run { connections in
                for (core, isOwners) in [(owners, true), (users, false)] {
                    let own = connections.filter { $0.caller.isOwner == isOwners }
                    if !own.isEmpty { core.eventLoop.execute { own.forEach(core.value.take) } }
                }
            }
        }
        accepting.append((acceptor, task))
        running.sockets.append(Socket(listener: listener, consumer: consumer, acceptor: acceptor))
    }

    /// Decides by another policy from the next request on, and listens for these consumers. Sockets that stay as they are
    /// keep their connections.
    ///
    /// - Returns: Why some do not listen, for people.
    func replace(policy: Policy, consumers: [ListenerConfiguration] = []) async -> [String] {
        self.policy = policy
        self.consumers = consumers
        guard case .running(var running) = state else { return [] }
        accepting.removeAll { $0.acceptor.hasEnded }
        var wanted = consumers
        var closed: [Acceptor] = []
        var failures: [String] = []
        running.sockets = running.sockets.filter { socket in
            guard let old = socket.consumer else {
                socket.acceptor.policy = policy
                return true
            }
            if let index = wanted.firstIndex(where: { $0.isSameSocket(as: old) }) {
                let new = wanted.remove(at: index)
                do throws(ListenerError) {
                    if new.tokenFile != old.tokenFile { try socket.listener.tokens?.tend(new.tokenFile, at: boot()) }
                    socket.acceptor.policy = policy.serving(new)
                    return true
                } catch {
                    failures.append(error.message)
                }
            }
            var nothing = old
            nothing.profiles = []
            socket.acceptor.policy = policy.serving(nothing)
            socket.listener.removeFiles()
            socket.acceptor.stop()
            closed.append(socket.acceptor)
            return false
        }
        for consumer in wanted {
            do {
                try open(try Listener(for: consumer, at: boot()), for: consumer, in: &running)
            } catch {
                failures.append("\((error as? ListenerError)?.message ?? "\(consumer.name): \(error)")")
            }
        }
        state = .running(running)
        await onLoops(of: running.cores) { [closed] core in closed.forEach(core.finish) }
        return failures
    }

    /// Makes new tokens for the endpoints where it is time, and puts files right; see `EndpointTokens.tend`.
    ///
    /// - Returns: Why some could not be written, for people.
    func tendTokenFiles() async -> [String] {
        guard case .running(let running) = state else { return [] }
        let (all, boot) = (running.sockets.compactMap(\.listener.tokens), boot)
        // A lock does not wait for a file.
        return await onOwnThread {
            all.compactMap { tokens in
                do throws(ListenerError) {
                    try tokens.tend(at: boot())
                    return nil
                } catch {
                    return error.message
                }
            }
        }
    }

    /// Keeps credentials of these profiles (nil: of all) from going out where they are on their way: an operation that has
    /// them already answers "locked", and a peer that does not read its answer is hung up on.
    func withdrawCredentials(of profiles: Set<ProfileName>?) async {
        await onAllThreads { $0.withdrawCredentials(of: profiles) }
    }

    /// Returns when all threads of the server have had a turn.
    func takeTurn() async { await onAllThreads { _ in } }

    /// Lets the acceptors finish their answers, and then does this on each event loop.
    private func onAllThreads(_ body: @escaping @Sendable (ServerCore) -> Void) async {
        guard case .running(let running) = state else { return }
        for (acceptor, _) in accepting { await acceptor.finishAnswers() }
        await onLoops(of: running.cores, body)
    }

    /// Takes no more connections, ends the idle ones, gives the others their answer for some seconds, and removes the
    /// sockets.
    func stop() async {
        guard case .running(let running) = state else { return }
        state = .stopped
        for socket in running.sockets {
            socket.listener.removeFiles()
            socket.acceptor.stop()
        }
        for (_, task) in accepting { await task.value }
        let abandoning = running.cores.map { core in
            core.eventLoop.scheduleTask(in: .milliseconds(limits.stopMilliseconds)) { core.value.abandon() }
        }
        for core in running.cores { try? await core.eventLoop.flatSubmit { core.value.stop() }.get() }
        for task in abandoning { task.cancel() }
        await onLoops(of: running.cores) { $0.gate.close() }
        running.responder.audit.writeRest()
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
