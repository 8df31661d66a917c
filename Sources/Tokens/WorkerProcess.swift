import CLinux
import Clocks
import Dispatch
import Files
import Glibc
import PKCS11URI
import Prompts
import Synchronization
import SystemPackage
import TokenService

/// How a worker process came to its end, for the one request that it cost and for the log.
struct WorkerLoss: Error, Hashable, Sendable {
    enum Cause: Hashable, Sendable {
        /// The process ended by itself: a crash, or the module called exit().
        case ended(String)
        /// A call did not come back within these milliseconds, and the process was killed.
        case deadline(milliseconds: Int64)
        /// The process was killed because another request's deadline had passed.
        case othersDeadline
        /// It could not be started (errno).
        case notStarted(Int32)
        /// The agent ended it.
        case stopped
        /// Nothing was sent: the token was locked meanwhile. The process is as it was.
        case revoked
        /// Nothing was sent: it is too long, or too much waits for the process already. The process is as it was.
        case full

        /// Neither the agent nor the module ended it: SIGKILL, from an operator or a kernel that is short of memory.
        static let killed = Cause.ended(describe(SIGKILL))
    }
    var cause: Cause
    /// Whether the worker may have seen the whole request.
    var wasSent = true

    static let revoked = WorkerLoss(cause: .revoked, wasSent: false)
    static let full = WorkerLoss(cause: .full, wasSent: false)

    /// Whether the process goes on.
    var isOfRequest: Bool { self == .revoked || self == .full }
}

extension WorkerLoss: CustomStringConvertible {
    var description: String {
        switch cause {
        case .ended(let how): how
        case .deadline(let milliseconds): "a call did not come back within \(milliseconds / 1000) seconds"
        case .othersDeadline: "another request's call did not come back in time"
        case .notStarted(let error): "it cannot be started: errno \(error)"
        case .stopped: "the agent ended it"
        case .revoked: "the token was locked meanwhile"
        case .full: "its worker takes no more: the request is too long, or too many wait"
        }
    }
}

/// A running worker, and the requests that it has not answered yet.
final class WorkerProcess: WorkerConnection {
    let processID: pid_t
    private let socket: FrameSocket
    /// Where it is asked for signatures.
    private let signatures: PacketSocket
    private let state: Mutex<State>
    private let abandonedCards: AbandonedCards?

    private struct State {
        var pending: [UInt32: Call] = [:]
        var nextNumber: UInt32 = 0
        /// Looks at the deadlines when the first of them has passed, which is `firstDeadline`.
        var watch: Task<Void, Never>?
        var firstDeadline: Int64 = .max
        var cause: WorkerLoss.Cause?
        /// Set before the process is waited for: from then on its number may be another's.
        var isReaped = false
        var hasEnded = false
        /// What it has said of the cards that are logged in.
        var verifiedCards: [AbandonedCard] = []
        /// How often, since it was last asked for something.
        var words = 0
        /// The tokens that it was asked to log in to: no others can be logged in by it.
        var logins: Set<TokenDescription> = []
    }

    private struct Call {
        let continuation: CheckedContinuation<Result<Reply, WorkerLoss>, Never>
        /// How long it may take, in milliseconds, and when that time has passed, in milliseconds of boot time.
        let limit: Int64
        var deadline: Int64
        let isSignature: Bool
        let mayExpire: @Sendable () -> Bool
    }

    /// A logout of all cards tells of each.
    private static let mostWords = 1024
    /// How often its limit a signature gets at most, so that a hang of a module with many sessions is found: as often as the
    /// usual two sessions have signatures.
    private static let mostLimits: Int64 = 4

    init(_ program: WorkerStart.Program) throws(WorkerLoss) {
        let sockets = try Self.pair(SOCK_STREAM)
        defer { close(sockets.theirs) }
        let signatures: (ours: Int32, theirs: Int32)
        do throws(WorkerLoss) { signatures = try Self.pair(SOCK_SEQPACKET) } catch {
            close(sockets.ours)
            throw error
        }
        defer { close(signatures.theirs) }
        var pipes: [Int32] = [-1, -1]
        guard unsafe clinux_pipe(&pipes) == 0 else {
            let error = errno
            close(sockets.ours)
            close(signatures.ours)
            throw WorkerLoss(cause: .notStarted(error))
        }
        defer { close(pipes[1]) }
        var processID: pid_t = 0
        let arguments = CStrings([program.executable])
        let variables = CStrings(program.environment.map { "\($0)=\($1)" }.sorted())
        let error = unsafe clinux_spawn_worker(
            program.executable, arguments.pointers, variables.pointers, sockets.theirs, signatures.theirs, pipes[1],
            &processID)
        guard error == 0 else {
            close(sockets.ours)
            close(signatures.ours)
            close(pipes[0])
            throw WorkerLoss(cause: .notStarted(error))
        }
        WorkerNumbers.own.withLock { $0.start(processID) }
        self.processID = processID
        abandonedCards = program.abandonedCards
        socket = FrameSocket(descriptor: sockets.ours)
        self.signatures = PacketSocket(descriptor: signatures.ours)
        state = Mutex(State())
        let reading = pipes[0]
        DispatchQueue(label: "worker \(processID) output").async { Self.drain(reading, into: program.output) }
        DispatchQueue(label: "worker \(processID) replies").async { self.receive() }
    }

    deinit {
        close(socket.descriptor)
        close(signatures.descriptor)
    }

    private static func pair(_ type: __socket_type) throws(WorkerLoss) -> (ours: Int32, theirs: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe socketpair(AF_UNIX, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw WorkerLoss(cause: .notStarted(errno))
        }
        return (ends[0], ends[1])
    }

    nonisolated(nonsending) func ask(
        _ request: Request, secret: HeldPIN?, permit: CallPermit?, deadline: Int64,
        mayExpire: @escaping @Sendable () -> Bool, clock: AgentClock
    ) async -> Result<Reply, WorkerLoss> {
        await withCheckedContinuation { continuation in
            let body = request.body
            let loss: WorkerLoss? = state.withLock { state in
                if state.hasEnded { return WorkerLoss(cause: state.cause ?? .stopped, wasSent: false) }
                if permit?.isRevoked == true { return .revoked }
                let isSignature = request.isSignature
                // The order in which they are sent decides which of them wait: perhaps for all before them, whatever the
                // sessions, because keys that want their PIN each time sign alone.
                let before = isSignature ? state.pending.values.count(where: \.isSignature) : 0
                let call = Call(
                    continuation: continuation, limit: deadline,
                    deadline: clock.boot() + min(Int64(before) + 1, Self.mostLimits) * deadline,
                    isSignature: isSignature, mayExpire: mayExpire)
                state.nextNumber &+= 1
                let number = state.nextNumber
                // Sent under the lock, so that frames do not mix and their numbers tell their order. It never waits: a
                // worker always reads, but threads that all sign, or hang, take no other signatures.
                let sending: PacketSocket.Sending
                if isSignature {
                    sending = signatures.send(kind: request.kind, number: number, body: body)
                } else {
                    let isSent = socket.send(
                        kind: request.kind, number: number, body: body, pin: secret, isPatient: false)
                    sending = isSent ? .sent : .ended
                }
                switch sending {
                case .sent: break
                case .refused: return .full
                case .ended: return WorkerLoss(cause: state.cause ?? .ended("it does not read"), wasSent: false)
                }
                state.pending[number] = call
                state.words = 0
                if let token = request.loginToken { state.logins.insert(token) }
                if call.deadline < state.firstDeadline { watch(&state, until: call.deadline, clock) }
                return nil
            }
            guard let loss else { return }
            if !loss.isOfRequest { kill(loss.cause) }
            continuation.resume(returning: .failure(loss))
        }
    }

    /// One task looks after the deadlines of all calls: a timer for each call costs as much as a signature.
    private func watch(_ state: inout State, until first: Int64, _ clock: AgentClock) {
        state.watch?.cancel()
        state.firstDeadline = first
        state.watch = Task { [weak self] in
            while let next = self?.state.withLock(\.firstDeadline), next != .max {
                do { try await clock.sleep(max(1, next - clock.boot())) } catch { return }
                self?.expireCalls(at: clock.boot())
            }
        }
    }

    private func expireCalls(at now: Int64) {
        let due = state.withLock { $0.pending.filter { $0.value.deadline <= now } }
        for (number, call) in due {
            if call.mayExpire() {
                expire(number, after: call.limit)
            } else {
                state.withLock { $0.pending[number]?.deadline = now + call.limit }
            }
        }
        state.withLock { state in state.firstDeadline = state.pending.values.lazy.map(\.deadline).min() ?? .max }
    }

    func kill(_ cause: WorkerLoss.Cause) {
        state.withLock { state in
            guard !state.hasEnded else { return }
            state.cause = state.cause ?? cause
            guard !state.isReaped else { return }
            Glibc.kill(processID, SIGKILL)
            // A program that the module started may hold the other end, and must not keep `receive` waiting.
            shutdown(socket.descriptor, Int32(SHUT_RDWR))
        }
    }

    private func expire(_ number: UInt32, after deadline: Int64) {
        let late = state.withLock { state in
            let late = state.pending.removeValue(forKey: number)
            // In one step, so that an answer that comes now is known to be one to a request that was given up.
            if late != nil { state.cause = state.cause ?? .othersDeadline }
            return late
        }
        guard let late else { return }
        kill(.othersDeadline)
        late.continuation.resume(returning: .failure(WorkerLoss(cause: .deadline(milliseconds: deadline))))
    }

    private func receive() {
        do throws(WireError) {
            while let frame = try socket.receive() { try take(frame) }
        } catch {
            kill(.ended("it said what it was not asked, or what makes no sense: \(error)"))
        }
        // The socket has ended: so has the process, in a moment.
        state.withLock { state in
            Glibc.kill(processID, SIGKILL)
            state.isReaped = true
        }
        WorkerNumbers.own.withLock { $0.end(processID, at: .now) }
        var status: Int32 = 0
        _ = uninterrupted { unsafe waitpid(processID, &status, 0) }
        abandonedCards?.add(state.withLock(\.verifiedCards))  // before another worker is started
        let (pending, cause) = state.withLock { state in
            state.hasEnded = true
            state.cause = state.cause ?? .ended(describe(status))
            state.watch?.cancel()
            defer { state.pending = [:] }
            return (state.pending, state.cause)
        }
        for call in pending.values {
            call.continuation.resume(returning: .failure(WorkerLoss(cause: cause ?? .stopped)))
        }
    }

    /// - Throws: Where it is no answer to what the process was asked. What comes after its end was decided is read to the
    ///   last word: a card may be logged in.
    private func take(_ frame: FrameSocket.Received) throws(WireError) {
        let reply = try Reply(kind: frame.header.kind, body: frame.body, secret: frame.secret)
        let number = frame.header.number
        let waiting = try state.withLock { (state) throws(WireError) in
            if case .verifiedCards(let readers) = reply {
                state.words += 1
                let isSensible =
                    number == 0 && readers.count <= state.logins.count && state.words <= Self.mostWords
                    && (!state.pending.isEmpty || state.cause != nil)
                guard isSensible else { throw .badValue }
                let now = ContinuousClock.now
                state.verifiedCards = readers.map { AbandonedCard(reader: $0, verified: now) }
                return nil as Call?
            }
            guard let waiting = state.pending.removeValue(forKey: number) else {
                if state.cause == nil { throw .unknownNumber(number) }
                return nil
            }
            return waiting
        }
        waiting?.continuation.resume(returning: .success(reply))
    }

    private static func drain(_ pipe: Int32, into output: ([UInt8]) -> Void) {
        defer { close(pipe) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        while let count = try? unsafe buffer.withUnsafeMutableBytes({
            try unsafe FileDescriptor(rawValue: pipe).read(into: $0)
        }), count > 0 {
            output(Array(buffer.prefix(count)))
        }
    }
}

extension Request {
    /// The token that it may log in to.
    fileprivate var loginToken: TokenDescription? {
        switch self {
        case .logIn(let login): login.token.token
        case .sign(let request): request.token.token
        case .load, .list, .logOut, .dateKey, .presence, .renewSessions, .registeredModules, .readers, .management: nil
        }
    }

    /// Whether a signing thread carries it out.
    fileprivate var isSignature: Bool {
        switch self {
        case .sign, .dateKey: true
        case .load, .list, .logIn, .logOut, .presence, .renewSessions, .registeredModules, .readers, .management: false
        }
    }
}

/// A status of waitpid(2), in words.
private func describe(_ status: Int32) -> String {
    let signal = status & 0x7F
    return signal == 0 ? "it exited with status \(status >> 8 & 0xFF)" : "it was ended by signal \(signal)"
}
