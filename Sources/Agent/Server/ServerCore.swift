import AgentAPI
import CLinux
import NIOCore
import NIOPosix
import Synchronization

/// State that the connections of one event loop share: the rules, and who is connected. It lives on that loop alone.
///
/// There are two: the agent's own user has a loop of its own, so that nothing that others send keeps it waiting.
final class ServerCore {
    let eventLoop: any EventLoop
    let limits: ServerLimits
    let responder: Responder
    let gate: LoopGate

    private let share: ServerLimits.Share
    private var connections: [ObjectIdentifier: ConnectionHandler] = [:]
    /// Those on kept places, the oldest first.
    private var kept: [ConnectionHandler] = []
    private var users: [Entrance.Place: Use] = [:]
    /// Of all users.
    private var unansweredBytes = 0
    private var sweep: RepeatedTask?
    /// The most connections since memory was given back, and how many there were at the last look.
    private var (peak, last) = (0, 0)
    private var stopped: EventLoopPromise<Void>?

    /// The part of the share that one user has.
    private struct Use {
        var connections = 0
        var waiting = 0
        var unansweredBytes = 0
    }

    /// - Parameter share: The limit for the users of this loop.
    init(eventLoop: any EventLoop, responder: Responder, share: ServerLimits.Share) {
        self.eventLoop = eventLoop
        self.responder = responder
        self.share = share
        limits = responder.limits
        gate = LoopGate(eventLoop)
    }

    var isStopping: Bool { stopped != nil }

    // MARK: Connections

    /// Makes a channel for a connection, whose descriptor it closes in any case.
    func take(_ accepted: Acceptor.Accepted) {
        let handler = NIOLoopBound(ConnectionHandler(core: self, accepted: accepted), eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            // A request is some hundred bytes, and each connection keeps a buffer of this size.
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1024))
            // A peer that ends its side may still read its answer; one that is gone is seen all the same (EPOLLHUP).
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler.value)
                }
            }
            .withConnectedSocket(accepted.descriptor)
            .assumeIsolated().whenFailure { _ in handler.value.leavePlace() }  // the peer is gone already
    }

    func add(_ connection: ConnectionHandler) {
        connections[ObjectIdentifier(connection)] = connection
        peak = max(peak, connections.count)
        change(connection.caller) { $0.connections += 1 }
        startSweeping()
        guard connection.caller.isKept else { return }
        kept.append(connection)
        // Silent connections take half of these at most; the rest is for connections that send requests.
        if kept.count > limits.keptConnections / 2 { kept.first(where: \.isSilent)?.abort() }
    }

    func remove(_ connection: ConnectionHandler) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        change(connection.caller) { $0.connections -= 1 }
        if connection.caller.isKept { kept.removeAll { $0 === connection } }
        if connections.isEmpty { stopped?.succeed() }
    }

    // MARK: Shares

    /// Counts a request in that will wait for an operation.
    func beginWaiting(_ caller: Caller) throws(Problem) {
        guard caller.isKept || users[caller.share]?.waiting ?? 0 < share.waitingPerUser else {
            throw Problem(
                .tooManyRequests, "uid \(caller.peer.uid, .uid) has \(share.waitingPerUser, .count) requests waiting",
                retryAfter: 1)
        }
        change(caller) { $0.waiting += 1 }
    }

    func endWaiting(_ caller: Caller) { change(caller) { $0.waiting -= 1 } }

    /// Counts memory in that holds what a peer has sent, or out.
    ///
    /// - Throws: `tooManyRequests` when it has grown beyond its share; it counts all the same.
    func keep(_ bytes: Int, of caller: Caller) throws(Problem) {
        unansweredBytes += bytes
        change(caller) { $0.unansweredBytes += bytes }
        guard bytes > 0 else { return }
        guard unansweredBytes <= share.bytes, users[caller.share]?.unansweredBytes ?? 0 <= share.bytesPerUser else {
            throw Problem(
                .tooManyRequests, "uid \(caller.peer.uid, .uid) has too many requests under way that are incomplete",
                retryAfter: 1)
        }
    }

    private func change(_ caller: Caller, _ body: (inout Use) -> Void) {
        var use = users[caller.share] ?? Use()
        body(&use)
        users[caller.share] = use.connections > 0 || use.waiting > 0 ? use : nil
    }

    // MARK: Time

    /// One timer for all deadlines: one for each connection would cost more than its request. It ends at the first look
    /// that finds no connection, not with each last one: a client that connects for each request would start it
    /// each time.
    private func startSweeping() {
        guard sweep == nil else { return }
        let shortest = [
            limits.headMilliseconds, limits.bodyMilliseconds, limits.idleMilliseconds, limits.answerMilliseconds,
            limits.lingerMilliseconds, limits.keptIdleMilliseconds,
        ].reduce(4000, min)
        let period = TimeAmount.milliseconds(max(5, shortest / 4))
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        sweep = eventLoop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in
            let now = NIODeadline.now()
            for connection in this.value.connections.values { connection.enforceDeadline(now) }
            this.value.giveMemoryBack()
            this.value.endSweepingIfAlone()
        }
    }

    /// Gives free memory back to the kernel once a flood is over; free(3) alone keeps most of it for the next one. It
    /// waits for a look without a change: NIO frees a channel some time after its end.
    private func giveMemoryBack() {
        defer { last = connections.count }
        guard peak >= limits.flood, connections.count <= peak / 4, connections.count == last else { return }
        peak = connections.count
        Task { clinux_give_memory_back() }  // takes some milliseconds; not awaited
    }

    private func endSweepingIfAlone() {
        guard connections.isEmpty, peak < limits.flood else { return }
        sweep?.cancel()
        sweep = nil
    }

    func withdrawCredentials(of profiles: Set<ProfileName>?) {
        for connection in connections.values { connection.withdrawCredentials(of: profiles) }
    }

    // MARK: Stop

    /// Ends idle connections now and the others with their answer; completes when all are gone.
    func stop() -> EventLoopFuture<Void> {
        let promise = stopped ?? eventLoop.makePromise()
        stopped = promise
        if connections.isEmpty { promise.succeed() }
        for connection in connections.values { connection.finish() }
        return promise.futureResult
    }

    /// Ends the connections that came to a socket which is closed now; requests under way get their answer.
    func finish(from acceptor: Acceptor) {
        for connection in connections.values where connection.caller.acceptor === acceptor { connection.finish() }
    }

    /// Ends what `stop` has left.
    func abandon() {
        for connection in connections.values { connection.abort() }
    }
}

/// The way back to the event loop for tasks that may outlive it: once closed, what they bring is dropped.
final class LoopGate: Sendable {
    private let eventLoop: Mutex<(any EventLoop)?>

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = Mutex(eventLoop)
    }

    func execute(_ work: @escaping @Sendable () -> Void) {
        eventLoop.withLock { $0?.execute(work) }
    }

    func close() { eventLoop.withLock { $0 = nil } }
}
