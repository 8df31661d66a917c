import AgentAPI
import CLinux
import Dispatch
import Glibc
import NIOCore
import Synchronization
import SystemPackage

/// Takes connections off the listening socket, on a thread of its own, and judges each before it costs more than that.
///
/// The event loops see those alone that are to be served or to be told why not: a flood of the others takes its time here.
final class Acceptor: Sendable {
    /// A connection that an event loop is to answer.
    struct Accepted: Sendable {
        /// Becomes the event loop's.
        let descriptor: CInt
        let peer: Peer
        let isOwner: Bool
        /// Nil for one that is told `problem` and counts nowhere.
        let place: Entrance.Place?
        let problem: Problem?
    }

    private let descriptor: CInt
    private let ending: (reading: CInt, writing: CInt)
    private let entrance: Mutex<Entrance>
    private let peer: @Sendable (CInt) throws -> Peer
    private let isWorker: @Sendable (Int32) -> Bool
    private let audit: @Sendable (AuditRecord) -> Void
    private let warn: @Sendable (String) -> Void

    /// How many connections are taken before those are handed over.
    private static let batch = 64
    /// How long it rests where a connection waits for which there is no descriptor: poll(2) goes on telling of it.
    private static let rest: CInt = 100
    /// After this long without a failure, the next one is logged again.
    private static let calm = TimeAmount.seconds(60)

    /// - Parameters:
    ///   - descriptor: Listens, and does not block; becomes this acceptor's.
    ///   - isWorker: Whether this is the number of a process that the agent has started for a module.
    ///   - audit: Called on the thread of `run`, as is `warn`; neither must wait.
    init(
        descriptor: CInt, entrance: Entrance, peer: @escaping @Sendable (CInt) throws -> Peer,
        isWorker: @escaping @Sendable (Int32) -> Bool, audit: @escaping @Sendable (AuditRecord) -> Void,
        warn: @escaping @Sendable (String) -> Void
    ) throws {
        var pipe: [CInt] = [-1, -1]
        guard unsafe clinux_pipe(&pipe) == 0 else {
            throw IOError(errnoCode: errno, reason: "pipe")
        }
        self.descriptor = descriptor
        self.entrance = Mutex(entrance)
        self.peer = peer
        self.isWorker = isWorker
        self.audit = audit
        self.warn = warn
        ending = (pipe[0], pipe[1])
    }

    deinit {
        close(ending.reading)
        close(ending.writing)
    }

    func replace(policy: Policy) { entrance.withLock { $0.policy = policy } }

    /// Counts a connection out, once its descriptor is closed.
    func leave(_ place: Entrance.Place) { entrance.withLock { $0.leave(place) } }

    /// Takes connections until `stop`, then closes the listening socket.
    ///
    /// - Parameter deliver: Called on a thread of this acceptor.
    func run(deliver: @escaping @Sendable ([Accepted]) -> Void) async {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "connections").async {
                self.takeAll(deliver)
                close(self.descriptor)
                continuation.resume()
            }
        }
    }

    func stop() {
        var byte: UInt8 = 0
        _ = unsafe write(ending.writing, &byte, 1)  // the pipe is empty, and its reading end open
    }

    private func takeAll(_ deliver: ([Accepted]) -> Void) {
        var lastFailure: NIODeadline?
        while wait(for: descriptor, milliseconds: untilDue) {
            writeDue()
            let (accepted, failure) = take()
            if !accepted.isEmpty { deliver(accepted) }
            guard let failure else { continue }
            let now = NIODeadline.now()
            if lastFailure.map({ now - $0 > Self.calm }) ?? true { warn(Self.text(failure)) }
            lastFailure = now
            guard wait(for: -1, milliseconds: Self.rest) else { break }
        }
        for line in entrance.withLock({ $0.rest() }) { audit(line) }
    }

    /// - Parameter descriptor: -1 to wait for the time alone.
    /// - Returns: False at the end.
    private func wait(for descriptor: CInt, milliseconds: CInt) -> Bool {
        var waited = [
            pollfd(fd: ending.reading, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        unsafe poll(&waited, 2, milliseconds)  // interrupted, it looks at the queue, which does no harm
        return waited[0].revents == 0
    }

    /// In milliseconds; -1 where no line waits for its time.
    private var untilDue: CInt {
        guard let due = entrance.withLock(\.nextDue) else { return -1 }
        return CInt(clamping: max(0, (due - .now()).nanoseconds / 1_000_000 + 1))
    }

    private func writeDue() {
        for line in entrance.withLock({ $0.due(at: .now()) }) { audit(line) }
    }

    /// - Returns: The connections to answer, and why no more can be accepted for now (errno).
    private func take() -> (accepted: [Accepted], failure: CInt?) {
        var accepted: [Accepted] = []
        for _ in 0..<Self.batch {
            let connection = clinux_accept(descriptor)
            if connection < 0 {
                let isUsual = [EAGAIN, EINTR, ECONNABORTED].contains(-connection)
                return (accepted, isUsual ? nil : -connection)
            }
            if let connection = judge(connection) { accepted.append(connection) } else { close(connection) }
        }
        return (accepted, nil)
    }

    private func judge(_ connection: CInt) -> Accepted? {
        guard let peer = try? peer(connection) else { return nil }  // the kernel does not say who is calling
        let isWorker = isWorker(peer.pid)
        let (verdict, line, isOwner) = entrance.withLock { entrance in
            let (verdict, line) = entrance.judge(
                peer, isWorker: isWorker, hasSpoken: { Self.hasBytes(connection) }, at: .now())
            return (verdict, line, entrance.policy.isOwner(peer))
        }
        if let line { audit(line) }
        switch verdict {
        case .serve(let place):
            return Accepted(descriptor: connection, peer: peer, isOwner: isOwner, place: place, problem: nil)
        case .tell(let problem):
            return Accepted(descriptor: connection, peer: peer, isOwner: isOwner, place: nil, problem: problem)
        case .close: return nil
        }
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
