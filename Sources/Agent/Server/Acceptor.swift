import AgentAPI
import CLinux
import Dispatch
import Glibc
import NIOCore
import Synchronization
import SystemPackage

/// Takes connections off one listening socket, on a thread of its own: judges each before it costs more than that, and
/// answers what it asks at first if that needs no wait.
///
/// The event loops see the others, and those that are to be told why they are not served: a flood of connections takes its
/// time here.
final class Acceptor: Sendable {
    /// A connection that an event loop is to go on with.
    struct Accepted: Sendable {
        /// Becomes the event loop's.
        let descriptor: CInt
        let caller: Caller
        /// Why the peer is hung up on.
        var problem: Problem?
        /// What was read and is not answered.
        var received = ByteBuffer()
        /// What is left of an answer.
        var unsent: (ByteBuffer, Reply)?
    }

    /// What other threads ask of this one.
    private struct Orders {
        var mustStop = false
        var hasEnded = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let descriptor: CInt
    private let waking: (reading: CInt, writing: CInt)
    private let orders = Mutex(Orders())
    private let rules: Mutex<Policy>
    private let responder: Responder
    /// Nil where reaching the socket is enough.
    let tokens: EndpointTokens?
    private let peer: @Sendable (CInt) throws -> Peer
    private let isWorker: @Sendable (Int32) -> Bool
    private let warn: @Sendable (String) -> Void

    /// How many connections are taken before their requests are looked at.
    private static let batch = 64
    /// How many other users' connections are looked at before the owner's next ones are.
    private static let share = 16
    /// How long, in milliseconds, a connection may be silent before an event loop gets it; and how many may.
    private static let patience: CInt = 2
    private static let mostSilent = 32
    /// How long it rests where a connection waits for which there is no descriptor: poll(2) goes on telling of it.
    private static let rest: CInt = 100
    /// After this long without a failure, the next one is logged again.
    private static let calm = TimeAmount.seconds(60)

    /// - Parameters:
    ///   - descriptor: Listens, and does not block; becomes this acceptor's.
    ///   - tokens: Of an endpoint that asks for one.
    ///   - isWorker: Whether this is the number of a process that the agent has started for a module.
    ///   - warn: Called on the thread of `run`, so it must not wait.
    init(
        descriptor: CInt, policy: Policy, responder: Responder, tokens: EndpointTokens? = nil,
        peer: @escaping @Sendable (CInt) throws -> Peer,
        isWorker: @escaping @Sendable (Int32) -> Bool, warn: @escaping @Sendable (String) -> Void
    ) throws {
        var pipe: [CInt] = [-1, -1]
        guard unsafe clinux_pipe(&pipe) == 0 else {
            throw IOError(errnoCode: errno, reason: "pipe")
        }
        self.descriptor = descriptor
        rules = Mutex(policy)
        self.responder = responder
        self.tokens = tokens
        self.peer = peer
        self.isWorker = isWorker
        self.warn = warn
        waking = (pipe[0], pipe[1])
    }

    deinit {
        close(waking.reading)
        close(waking.writing)
    }

    /// What holds for the connections of this socket, from the next request on.
    var policy: Policy {
        get { rules.withLock(\.self) }
        set { rules.withLock { $0 = newValue } }
    }

    /// Counts a connection out, once its descriptor is closed.
    func leave(_ place: Entrance.Place) { responder.entrance.withLock { $0.leave(place) } }

    /// Takes connections until `stop`, then closes the listening socket.
    ///
    /// - Parameter deliver: Called on a thread of this acceptor.
    func run(deliver: @escaping @Sendable ([Accepted]) -> Void) async {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "connections").async {
                self.takeAll(deliver)
                close(self.descriptor)
                for waiting in self.orders.withLock({ orders in
                    orders.hasEnded = true
                    return orders.waiting
                }) { waiting.resume() }
                continuation.resume()
            }
        }
    }

    func stop() {
        orders.withLock { $0.mustStop = true }
        wake()
    }

    /// Whether the socket is closed, or is about to be.
    var isStopped: Bool { orders.withLock(\.mustStop) }

    /// Whether the thread is gone.
    var hasEnded: Bool { orders.withLock(\.hasEnded) }

    /// Returns when what this thread was about to answer is sent, or with an event loop.
    func finishAnswers() async {
        await withCheckedContinuation { continuation in
            let hasEnded = orders.withLock { orders in
                if !orders.hasEnded { orders.waiting.append(continuation) }
                return orders.hasEnded
            }
            if hasEnded { continuation.resume() } else { wake() }
        }
    }

    private func wake() {
        var byte: UInt8 = 0
        _ = unsafe write(waking.writing, &byte, 1)  // a byte for each call: there is place
    }

    // MARK: The thread

    /// The connections that this thread has, and the memory that it uses again and again.
    private struct Held {
        var look: FirstLook
        /// The owner's that came in this round.
        var new: [Accepted] = []
        /// Other users', until their turn.
        var later: [Accepted] = []
        /// Those that have said nothing yet, or nothing more: most peers hang up once they have their answer.
        var silent: [Accepted] = []
        /// When the event loops get those.
        var patienceEnds = NIODeadline.distantFuture
        /// Those for the event loops.
        var handed: [Accepted] = []
        var polled: [pollfd] = []
    }

    private func takeAll(_ deliver: ([Accepted]) -> Void) {
        var held = Held(look: FirstLook(responder: responder))
        var lastFailure: NIODeadline?
        while wait(&held) {
            let failure = held.polled[1].revents == 0 ? nil : take(&held)
            answer(&held)
            if failure != nil || held.silent.count > Self.mostSilent || held.patienceEnds <= .now() { handOver(&held) }
            if !held.handed.isEmpty { deliver(held.handed) }
            held.handed.removeAll(keepingCapacity: true)
            guard let failure else { continue }
            let now = NIODeadline.now()
            if lastFailure.map({ now - $0 > Self.calm }) ?? true { warn(Self.text(failure)) }
            lastFailure = now
            if unsafe poll(&held.polled, 1, Self.rest) > 0, !follow() { break }
        }
        held.silent += held.later
        handOver(&held)
        deliver(held.handed)
    }

    /// Waits for connections, and for what silent ones say; those that have spoken are new again.
    ///
    /// - Returns: False at the end.
    private func wait(_ held: inout Held) -> Bool {
        held.polled.removeAll(keepingCapacity: true)
        held.polled.append(pollfd(fd: waking.reading, events: Int16(POLLIN), revents: 0))
        held.polled.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        for connection in held.silent {
            held.polled.append(pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0))
        }
        let patience = held.silent.isEmpty ? -1 : Self.patience
        // Interrupted, it looks at the queue, which does no harm.
        unsafe poll(&held.polled, nfds_t(held.polled.count), held.later.isEmpty ? patience : 0)
        if held.polled[0].revents != 0, !follow() { return false }
        for index in held.silent.indices.reversed() where held.polled[index + 2].revents != 0 {
            held.new.append(held.silent.remove(at: index))
        }
        return true
    }

    /// Does what other threads ask for.
    ///
    /// - Returns: False at the end.
    private func follow() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 64)
        _ = unsafe read(waking.reading, &bytes, bytes.count)  // a byte that is left wakes it once more
        let (waiting, mustStop) = orders.withLock { orders in
            defer { orders.waiting = [] }
            return (orders.waiting, orders.mustStop)
        }
        for continuation in waiting { continuation.resume() }
        return !mustStop
    }

    /// Takes connections off the queue.
    ///
    /// - Returns: Why no more can be accepted for now (errno).
    private func take(_ held: inout Held) -> CInt? {
        for _ in 0..<Self.batch {
            let descriptor = clinux_accept(descriptor)
            if descriptor < 0 { return [EAGAIN, EINTR, ECONNABORTED].contains(-descriptor) ? nil : -descriptor }
            guard let accepted = judge(descriptor) else {
                close(descriptor)
                continue
            }
            if accepted.problem != nil {
                held.handed.append(accepted)
            } else if accepted.caller.isOwner {
                held.new.append(accepted)
            } else {
                held.later.append(accepted)
            }
        }
        return nil
    }

    private func judge(_ descriptor: CInt) -> Accepted? {
        guard let peer = try? peer(descriptor) else { return nil }  // the kernel does not say who is calling
        let (isWorker, policy) = (isWorker(peer.pid), policy)
        let (verdict, refusal) = responder.entrance.withLock { entrance in
            entrance.judge(
                peer, policy: policy, isWorker: isWorker, hasSpoken: { Self.hasBytes(descriptor) }, at: .now())
        }
        if let refusal { responder.audit.note(refusal, as: refusal.isAttack ? .attack : .denied) }
        func accepted(_ place: Entrance.Place?, _ problem: Problem? = nil) -> Accepted {
            Accepted(
                descriptor: descriptor,
                caller: Caller(peer: peer, acceptor: self, isOwner: policy.isOwner(peer), place: place),
                problem: problem)
        }
        switch verdict {
        case .serve(let place): return accepted(place)
        case .tell(let problem): return accepted(nil, problem)
        case .close: return nil
        }
    }

    /// Looks at the owner's new connections, and at some of the others'. One that is silent has mostly been let in before its
    /// peer came to send its request, so the peer is let go on first.
    private func answer(_ held: inout Held) {
        let turn = held.later.prefix(Self.share)
        held.new += turn
        held.later.removeFirst(turn.count)
        let silent = held.new.filter { look(at: $0, &held) }
        held.new.removeAll(keepingCapacity: true)
        guard !silent.isEmpty else { return }
        sched_yield()
        for connection in silent where look(at: connection, &held) { wait(for: connection, &held) }
    }

    private func wait(for connection: Accepted, _ held: inout Held) {
        if held.silent.isEmpty { held.patienceEnds = .now() + .milliseconds(Int64(Self.patience)) }
        held.silent.append(connection)
    }

    /// - Returns: Whether it is silent.
    private func look(at connection: Accepted, _ held: inout Held) -> Bool {
        guard !connection.caller.isKept else {
            held.handed.append(connection)
            return false
        }
        switch held.look.look(at: connection.descriptor, of: connection.caller) {
        case .silent: return true
        case .answered: wait(for: connection, &held)  // as any server: the peer has to read first
        case .over:
            close(connection.descriptor)
            if let place = connection.caller.place { leave(place) }
        case .goesOn(let received, let unsent):
            var connection = connection
            (connection.received, connection.unsent) = (received, unsent)
            held.handed.append(connection)
        }
        return false
    }

    private func handOver(_ held: inout Held) {
        held.handed += held.silent
        held.silent.removeAll(keepingCapacity: true)
        held.patienceEnds = .distantFuture
    }

    private static func hasBytes(_ connection: CInt) -> Bool {
        var byte: UInt8 = 0
        return unsafe recv(connection, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) > 0
    }

    private static func text(_ errno: CInt) -> String {
        let what =
            switch errno {
            case EMFILE: "the agent has no descriptors left; raise its limit (ulimit -n, LimitNOFILE=)"
            case ENFILE: "the machine has no descriptors left; see fs.file-max"
            case ENOBUFS, ENOMEM: "the kernel has no memory left"
            default: "\(Errno(rawValue: errno))"
            }
        return "new connections wait: \(what)"
    }
}
