import AgentAPI
import Glibc
import NIOCore
import Prompts

/// One connection: reads requests one after the other, decides, and answers in order.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        /// Before the first byte, between requests, or inside a head.
        case head
        case body(AcceptedRequest)
        /// An operation is under way.
        case waiting(AcceptedRequest)
        /// The peer is reading its answer, with credentials of this profile.
        case writing(ProfileName?)
        /// The last answer is out; what still comes is thrown away until the peer hangs up.
        case lingering(bytesLeft: Int)
        case closed
    }

    /// What comes before all requests. Kept apart, because hardly a connection has it, and each would keep room for it.
    private indirect enum Beginning {
        /// Why the peer is hung up on.
        case refusal(Problem)
        /// What an acceptor could not send of its answer.
        case unsent(ByteBuffer, Reply)
    }

    let caller: Caller
    private let core: ServerCore
    private let responder: Responder
    private var beginning: Beginning?
    private var hasLeft = false
    private var context: ChannelHandlerContext?
    private var phase = Phase.head
    private var buffer = RequestBuffer()
    /// The memory of `buffer` as last told to `core`.
    private var countedBytes = 0
    private var parser: RequestHeadParser
    private var deadline: NIODeadline?
    private var isAdvancing = false
    /// The operation under way must not answer with credentials that it may have had before.
    private var isWithdrawn = false
    /// Of the peer, for the change under way.
    private var presence: Presence?
    /// Nothing is read after the answer under way: the peer or the agent ends.
    private var isLast = false

    init(core: ServerCore, accepted: Acceptor.Accepted) {
        self.core = core
        responder = core.responder
        caller = accepted.caller
        beginning = accepted.problem.map { .refusal($0) } ?? accepted.unsent.map { .unsent($0, $1) }
        parser = RequestHeadParser(limits: core.limits)
        buffer.append(accepted.received)
    }

    // MARK: Events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        leavePlace()
    }

    /// Gives up the connection's place, once: its descriptor is closed.
    func leavePlace() {
        if !hasLeft, let place = caller.place { caller.acceptor.leave(place) }
        hasLeft = true
    }

    func channelActive(context: ChannelHandlerContext) {
        setHeadDeadline()
        core.add(self)
        switch beginning.take() {
        case .refusal(let problem): refuse(problem)
        case .unsent(let bytes, let reply):
            isLast = reply.isLast
            send(bytes, of: reply)
        case nil where core.isStopping: refuse(Problem(.shuttingDown, "the agent is stopping"))
        case nil: advance()
        }
        // Its socket was closed before it came here.
        if caller.acceptor.isStopped { finish() }
    }

    /// Whether the peer has sent nothing yet, or nothing more.
    var isSilent: Bool { if case .head = phase { buffer.isEmpty } else { false } }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closed
        presence?.end()
        buffer.removeAll()
        try? countBytes()  // there are fewer, which is never too much
        core.remove(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        switch phase {
        case .closed: return bytes.wipeInPlace()
        case .lingering(let bytesLeft):
            defer { bytes.wipeInPlace() }
            guard bytes.readableBytes < bytesLeft else { return close() }
            phase = .lingering(bytesLeft: bytesLeft - bytes.readableBytes)
            return
        case .head:
            if buffer.isEmpty { setHeadDeadline(hasBegun: true) }
        case .body: break
        case .waiting, .writing:
            guard !isLast else { return bytes.wipeInPlace() }
            guard buffer.count + bytes.readableBytes <= core.limits.pipelinedBytes else {
                bytes.wipeInPlace()
                return close()
            }
        }
        buffer.append(bytes)
        advance()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        switch phase {
        case .waiting, .writing: isLast = true  // it may well read its answer
        case .head, .body, .lingering, .closed: close()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close() }

    // MARK: Requests

    /// A loop, not a recursion: how many requests stand in the buffer is the peer's choice.
    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        do throws(Problem) {
            while try step() {}
            buffer.keep()
            try countBytes()
        } catch {
            switch phase {
            case .head, .body: refuse(error)
            case .waiting, .writing, .lingering, .closed: close()  // the answer under way cannot be followed by another
            }
        }
    }

    /// - Throws: When the peer's user has sent more than it may without waiting for answers.
    private func countBytes() throws(Problem) {
        let change = buffer.capacity - countedBytes
        guard change != 0 else { return }
        countedBytes = buffer.capacity
        try core.keep(change, of: caller)
    }

    /// - Returns: Whether there may be more to do.
    /// - Throws: The fault that makes the rest of the connection unreadable.
    private func step() throws(Problem) -> Bool {
        switch phase {
        case .head:
            guard !isLast else {
                close()
                return false
            }
            guard !buffer.isEmpty,
                let (head, length) = try buffer.withBytes({ (bytes) throws(Problem) in try parser.read(bytes) })
            else { return false }
            buffer.removeFirst(length)
            parser = RequestHeadParser(limits: core.limits)
            return try accept(head)
        case .body(let request):
            let length = request.head.contentLength
            guard buffer.count >= length else { return false }
            try perform(request)
            return true
        case .waiting, .writing, .lingering, .closed: return false
        }
    }

    /// Decides on a request by its head alone.
    private func accept(_ head: RequestHead) throws(Problem) -> Bool {
        switch try responder.decide(head, of: caller) {
        case .success(let request):
            phase = .body(request)
            setDeadline(core.limits.bodyMilliseconds)
        case .failure(let refusal): write(responder.reply(to: head, of: caller, with: refusal))
        }
        return true
    }

    /// Runs the operation: here and now when the answer is in memory, else in a task.
    private func perform(_ request: AcceptedRequest) throws(Problem) {
        if let reply = responder.replyFromMemory(to: request, of: caller) { return write(reply) }
        let (length, form) = (request.head.contentLength, caller.acceptor.policy.form)
        let invocation: Invocation
        do throws(Problem) {
            invocation = try buffer.withBytes { (bytes) throws(Problem) in
                try Invocation(
                    request.route.action, form, profile: request.profile,
                    body: bytes.extracting(..<length))
            }
        } catch {
            buffer.removeFirst(length)
            return finish(request, with: .problem(error))
        }
        buffer.removeFirst(length)
        do throws(Problem) {
            try core.beginWaiting(caller)
        } catch {
            return finish(request, with: .problem(error))
        }
        phase = .waiting(request)
        isWithdrawn = false
        deadline = nil  // the operation has its own
        let this = NIOLoopBound(self, eventLoop: core.eventLoop)
        let (operations, gate, caller, policy) = (responder.operations, core.gate, caller, caller.acceptor.policy)
        let asking =
            policy.isPerson(caller.peer)
            ? Asking(
                uid: caller.peer.uid, agentUID: policy.agentUID, processID: caller.peer.pid,
                header: request.head.person,
                isExplicit: request.route.isExplicit) : nil
        let mayGesture = policy.allowsGestures(for: caller.peer, profile: request.profile)
        let presence = request.route.permission == .management ? Presence() : nil
        self.presence = presence
        // Not awaited: it ends with its operation, and a peer that hangs up must not end that for others.
        Task {
            let answer = await Asking.$current.withValue(asking) {
                await Gestures.$areAllowed.withValue(mayGesture) {
                    await BroughtCode.$current.withValue(invocation.code) {
                        await Presence.$current.withValue(presence) {
                            await invocation.answer(from: operations, isOwner: caller.isOwner)
                        }
                    }
                }
            }
            gate.execute { this.value.complete(request, with: answer) }
        }
    }

    private func complete(_ request: AcceptedRequest, with answer: Answer) {
        core.endWaiting(caller)
        // The rules may be others by now.
        if answer.issued != nil, case .failure(let refusal)? = try? responder.decide(request.head, of: caller) {
            finish(responder.reply(to: request.head, of: caller, with: refusal))
        } else {
            finish(request, with: isLate(request, answer) ? .problem(.withdrawn) : answer)
        }
        advance()
    }

    private func finish(_ request: AcceptedRequest, with answer: Answer) {
        finish(responder.reply(to: request, of: caller, with: answer))
    }

    private func finish(_ reply: Reply) {
        if case .closed = phase { return }
        write(reply)
    }

    /// Whether the answer has credentials that were withdrawn on their way. The cache's present session is newer.
    private func isLate(_ request: AcceptedRequest, _ answer: Answer) -> Bool {
        guard isWithdrawn, let issued = answer.issued, let profile = request.profile else { return false }
        return responder.operations.cachedCredentials(profile)?.audited.accessKeyID != issued.accessKeyID
    }

    /// See `AgentServer`.
    func withdrawCredentials(of profiles: Set<ProfileName>?) {
        switch phase {
        case .waiting(let request):
            if let profile = request.profile, profiles?.contains(profile) != false { isWithdrawn = true }
        case .writing(let profile?) where profiles?.contains(profile) != false: close()
        case .head, .body, .writing, .lingering, .closed: break
        }
    }

    // MARK: Answers

    private func write(_ reply: Reply) {
        guard let context else { return }
        isLast = isLast || reply.isLast || caller.isKept || core.isStopping
        var reply = reply
        reply.isLast = isLast
        var bytes = context.channel.allocator.buffer(capacity: 0)
        reply.write(to: &bytes)
        send(bytes, of: reply)
    }

    private func send(_ bytes: ByteBuffer, of reply: Reply) {
        guard let context else { return }
        phase = .writing(reply.holdsSecret ? reply.profile : nil)
        setDeadline(core.limits.answerMilliseconds)
        let written = context.eventLoop.makePromise(of: Void.self)
        let this = NIOLoopBound(self, eventLoop: core.eventLoop)
        written.futureResult.assumeIsolated().whenComplete { result in
            if reply.holdsSecret { bytes.wipeInPlace() }
            if case .success = result { this.value.didWrite(lingering: reply.lingers) }
        }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: written)
    }

    private func didWrite(lingering: Bool) {
        guard case .writing = phase else { return }
        if lingering {
            buffer.removeAll()
            try? countBytes()  // as above
            phase = .lingering(bytesLeft: core.limits.lingerBytes)
            setDeadline(core.limits.lingerMilliseconds)
            context?.close(mode: .output, promise: nil)
        } else if isLast {
            close()
        } else {
            phase = .head
            setHeadDeadline()
            advance()
        }
    }

    /// Answers what cannot be gone on from, and hangs up.
    private func refuse(_ problem: Problem) {
        write(Reply(answer: .problem(problem).told(by: caller.acceptor.policy), isLast: true, lingers: true))
    }

    // MARK: Ends

    private func setDeadline(_ milliseconds: Int64) { deadline = .now() + .milliseconds(milliseconds) }

    /// - Parameter hasBegun: Whether the first bytes of a head are here.
    private func setHeadDeadline(hasBegun: Bool? = nil) {
        let limits = core.limits
        let milliseconds = hasBegun ?? !buffer.isEmpty ? limits.headMilliseconds : limits.idleMilliseconds
        setDeadline(caller.isKept ? limits.keptIdleMilliseconds : milliseconds)
    }

    /// Called by the sweep.
    func enforceDeadline(_ now: NIODeadline) {
        guard let deadline, deadline <= now else { return }
        switch phase {
        case .head where buffer.isEmpty: close()
        case .head: refuse(Problem(.requestTimeout, "the request's head did not arrive in time"))
        case .body: refuse(Problem(.requestTimeout, "the request's body did not arrive in time"))
        case .waiting, .writing, .lingering, .closed: close()
        }
    }

    /// Ends the connection now if it is idle, else with the answer under way.
    func finish() {
        switch phase {
        case .head, .body: close()
        case .waiting, .writing: isLast = true
        case .lingering, .closed: break
        }
    }

    func abort() { close() }

    private func close() { context?.close(promise: nil) }
}
