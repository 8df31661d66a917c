import AgentAPI
import CLinux
import NIOCore

/// What all connections share: the rules, and who is connected. It lives on the event loop alone.
final class ServerCore {
    let eventLoop: any EventLoop
    let limits: ServerLimits
    let operations: AgentOperations
    let audit: @Sendable (AuditRecord) -> Void
    let gate: LoopGate
    var policy: Policy

    private var connections: [ObjectIdentifier: ConnectionHandler] = [:]
    private var users: [UInt32: Share] = [:]
    private var denied: DeniedPeers
    private var unansweredBytes = UnansweredBytes()
    private var sweep: RepeatedTask?
    /// The most connections since memory was given back, and how many there were at the last look.
    private var (peak, last) = (0, 0)
    private var stopped: EventLoopPromise<Void>?

    private struct Share {
        var connections = 0
        var waiting = 0
        var unansweredBytes = 0
    }

    /// Memory for what the agent's own user (and root), and all others, have sent and were not answered yet.
    private struct UnansweredBytes {
        var ofOwner = 0
        var ofOthers = 0
    }

    init(
        eventLoop: any EventLoop, policy: Policy, operations: AgentOperations, limits: ServerLimits, gate: LoopGate,
        audit: @escaping @Sendable (AuditRecord) -> Void
    ) {
        self.eventLoop = eventLoop
        self.policy = policy
        self.operations = operations
        self.limits = limits
        self.gate = gate
        self.audit = audit
        denied = DeniedPeers(limits: limits)
    }

    var isStopping: Bool { stopped != nil }

    // MARK: Shares

    /// Counts a connection in.
    ///
    /// - Returns: Why it cannot stay; it counts all the same until `remove`.
    func add(_ connection: ConnectionHandler) -> Problem? {
        connections[ObjectIdentifier(connection)] = connection
        peak = max(peak, connections.count)
        users[connection.peer.uid, default: Share()].connections += 1
        startSweeping()
        if isStopping { return Problem(.shuttingDown, "the agent is stopping") }
        if connections.count > limits.connections {
            return Problem(.tooManyRequests, "the agent has \(limits.connections) connections", retryAfter: 1)
        }
        guard let share = users[connection.peer.uid], share.connections > limits.connectionsPerUser else { return nil }
        return Problem(
            .tooManyRequests, "uid \(connection.peer.uid) has \(limits.connectionsPerUser) connections",
            hint: "close some of them", retryAfter: 1)
    }

    func remove(_ connection: ConnectionHandler) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        change(connection.peer) { $0.connections -= 1 }
        if connection.isDenied { denied.leave(connection.peer) }
        if connections.isEmpty { stopped?.succeed() }
    }

    /// Counts a connection in whose peer may ask for nothing, as well as with `add`.
    ///
    /// - Returns: Whether there is room to tell it why.
    func addDenied(_ connection: ConnectionHandler) -> Bool {
        let line = DeniedPeers.Line(peer: connection.peer, decision: connection.admission)
        if let line = denied.tell(line, at: .now()) { audit(AuditRecord(line)) }
        return denied.enter(connection.peer)
    }

    /// Counts a request in that will wait for an operation.
    func beginWaiting(_ peer: Peer) throws(Problem) {
        guard users[peer.uid]?.waiting ?? 0 < limits.waitingPerUser else {
            throw Problem(
                .tooManyRequests, "uid \(peer.uid) has \(limits.waitingPerUser) requests waiting", retryAfter: 1)
        }
        change(peer) { $0.waiting += 1 }
    }

    func endWaiting(_ peer: Peer) { change(peer) { $0.waiting -= 1 } }

    /// Counts memory in that holds what a peer has sent, or out.
    ///
    /// - Throws: `tooManyRequests` when it has grown beyond its share; it counts all the same.
    func keep(_ bytes: Int, of connection: ConnectionHandler) throws(Problem) {
        let uid = connection.peer.uid
        change(connection.peer) { $0.unansweredBytes += bytes }
        if connection.isOwner { unansweredBytes.ofOwner += bytes } else { unansweredBytes.ofOthers += bytes }
        guard bytes > 0 else { return }
        let isTooMuch =
            connection.isOwner
            ? unansweredBytes.ofOwner > limits.unansweredBytesOfOwner
            : unansweredBytes.ofOthers > limits.unansweredBytes
                || users[uid]?.unansweredBytes ?? 0 > limits.unansweredBytesPerUser
        guard isTooMuch else { return }
        throw Problem(.tooManyRequests, "uid \(uid) has too many requests under way that are incomplete", retryAfter: 1)
    }

    private func change(_ peer: Peer, _ body: (inout Share) -> Void) {
        var share = users[peer.uid] ?? Share()
        body(&share)
        users[peer.uid] = share.connections > 0 || share.waiting > 0 ? share : nil
    }

    // MARK: Time

    /// One timer for all deadlines: one for each connection would cost more than its request. It ends at the first look
    /// that finds nobody here, not with each last connection: one client that connects for each request would start it
    /// each time.
    private func startSweeping() {
        guard sweep == nil else { return }
        let shortest = [
            limits.headMilliseconds, limits.bodyMilliseconds, limits.idleMilliseconds, limits.answerMilliseconds,
            limits.lingerMilliseconds,
        ].reduce(4000, min)
        let period = TimeAmount.milliseconds(max(5, shortest / 4))
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        sweep = eventLoop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in
            let now = NIODeadline.now()
            for connection in this.value.connections.values { connection.enforceDeadline(now) }
            for line in this.value.denied.due(at: now) { this.value.audit(AuditRecord(line)) }
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
        Task { clinux_give_memory_back() }  // some milliseconds, and nobody waits for it
    }

    private func endSweepingIfAlone() {
        guard connections.isEmpty, denied.isQuiet, peak < limits.flood else { return }
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

    /// Ends what `stop` has left.
    func abandon() {
        for connection in connections.values { connection.abort() }
    }
}

extension AuditRecord {
    fileprivate init(_ line: DeniedPeers.Line) {
        self.init(
            peer: line.peer, route: nil, decision: line.decision, status: 403, problem: .forbidden, others: line.others)
    }
}
