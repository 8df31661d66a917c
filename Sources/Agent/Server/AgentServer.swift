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

        func serves(_ consumer: ListenerConfiguration) -> Bool {
            sockets.contains { $0.consumer?.isSameSocket(as: consumer) == true }
        }
    }

    /// A socket that connections are taken from.
    private struct Socket {
        let listener: Listener
        /// Nil: the agent's own.
        var consumer: ListenerConfiguration?
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
    /// Those of them whose port another program has.
    private var waiting: [ListenerConfiguration] = []
    /// What is closed, and has files still.
    private var closed: [Listener] = []
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
    /// - Throws: `ListenerError` when a consumer's socket cannot be made; then none is served. A port that is taken keeps
    ///   nothing from being served: `tendEndpoints` tries it again.
    func start() async throws {
        guard case .idle = state else { return }
        var listeners: [(Listener, ListenerConfiguration?)] = [(.socket(listener), nil)]
        for consumer in consumers {
            do throws(ListenerError) {
                listeners.append((try Listener(for: consumer, at: boot()), consumer))
            } catch .portTaken {
                waiting.append(consumer)
            }
        }
        let responder = Responder(
            operations: operations, limits: limits.fitting(descriptors: DescriptorLimit.raise()),
            audit: AuditLog(milliseconds: limits.lineMilliseconds, eventLoop: group.next(), write: audit))
        var running = Running(
            responder: responder, owners: try await core(responder, responder.limits.owner),
            users: try await core(responder, responder.limits.users))
        for (listener, consumer) in listeners {
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

    /// Decides by another policy from the next request on, and closes what is not among these consumers. Sockets that stay
    /// as they are keep their connections. It waits for no file: `openConsumers` does what is left.
    func replace(policy: Policy, consumers: [ListenerConfiguration] = []) async {
        self.policy = policy
        self.consumers = consumers
        guard case .running(var running) = state else { return }
        accepting.removeAll { $0.acceptor.hasEnded }
        var gone: [Socket] = []
        running.sockets = running.sockets.compactMap { socket in
            var socket = socket
            if let old = socket.consumer {
                guard let new = consumers.first(where: { $0.isSameSocket(as: old) }) else {
                    gone.append(socket)
                    return nil
                }
                socket.consumer = new
            }
            socket.acceptor.policy = socket.consumer.map(policy.serving) ?? policy
            return socket
        }
        state = .running(running)
        await end(gone)
    }

    /// - Parameter sockets: No longer among those that are served.
    private func end(_ sockets: [Socket]) async {
        guard case .running(let running) = state, !sockets.isEmpty else { return }
        for socket in sockets {
            var nothing = socket.consumer
            nothing?.profiles = []
            if let nothing { socket.acceptor.policy = policy.serving(nothing) }
            socket.acceptor.stop()
        }
        closed += sockets.map(\.listener)
        let acceptors = sockets.map(\.acceptor)
        await onLoops(of: running.cores) { core in acceptors.forEach(core.finish) }
    }

    /// Removes the files of what is closed, puts token files where they are to be, and listens for the consumers that
    /// `replace` has got.
    ///
    /// - Returns: Why some do not listen, for people, but for those whose port is taken.
    func openConsumers() async -> [String] {
        guard case .running(let running) = state else { return [] }
        let (gone, boot) = (closed, boot)
        closed = []
        await onOwnThread { gone.forEach { $0.removeFiles() } }
        var failures: [String] = []
        var dead: [ListenerConfiguration] = []
        for socket in running.sockets {
            guard let consumer = socket.consumer, let tokens = socket.listener.tokens else { continue }
            do throws(ListenerError) {
                try await onOwnThread { () throws(ListenerError) in try tokens.tend(consumer.tokenFile, at: boot()) }
            } catch {
                failures.append(error.message)
                dead.append(consumer)
                await end(consumer)
            }
        }
        waiting = []
        for consumer in consumers where !dead.contains(consumer) {
            do {
                try await open(consumer)
            } catch ListenerError.portTaken {
                waiting.append(consumer)
            } catch {
                failures.append((error as? ListenerError)?.message ?? "\(consumer.name): \(error)")
            }
        }
        return failures
    }

    private func end(_ consumer: ListenerConfiguration) async {
        guard case .running(var running) = state else { return }
        let gone = running.sockets.filter { $0.consumer == consumer }
        running.sockets.removeAll { $0.consumer == consumer }
        state = .running(running)
        await end(gone)
    }

    /// Listens for a consumer, where it is not served yet.
    private func open(_ consumer: ListenerConfiguration) async throws {
        guard case .running(let before) = state, !before.serves(consumer) else { return }
        let boot = boot
        let listener = try await onOwnThread { () throws(ListenerError) in try Listener(for: consumer, at: boot()) }
        // The server may have stopped meanwhile, or the consumer may be gone.
        guard case .running(var running) = state, consumers.contains(consumer), !running.serves(consumer) else {
            return await onOwnThread { listener.removeFiles() }
        }
        try open(listener, for: consumer, in: &running)
        state = .running(running)
    }

    /// Makes new tokens for the endpoints where it is time, and puts files right, see `EndpointTokens.tend`; and listens
    /// where another program has had the port.
    ///
    /// - Returns: What is not as it should be, for people.
    func tendEndpoints() async -> [String] {
        var failures: [String] = []
        for consumer in waiting {
            do {
                try await open(consumer)
                waiting.removeAll { $0 == consumer }
            } catch {
                failures.append((error as? ListenerError)?.message ?? "\(consumer.name): \(error)")
            }
        }
        guard case .running(let running) = state else { return [] }
        let (all, boot) = (running.sockets.compactMap(\.listener.tokens), boot)
        // A lock does not wait for a file.
        return failures
            + (await onOwnThread {
                all.compactMap { tokens in
                    do throws(ListenerError) {
                        try tokens.tend(at: boot())
                        return nil
                    } catch {
                        return error.message
                    }
                }
            })
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
        for socket in running.sockets { socket.acceptor.stop() }
        let listeners = closed + running.sockets.map(\.listener)
        await onOwnThread { listeners.forEach { $0.removeFiles() } }
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
