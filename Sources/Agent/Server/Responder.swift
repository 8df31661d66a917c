import AgentAPI
import NIOCore
import Synchronization

/// Decides on connections and requests, and makes the answers, for all listeners: one way for every thread that reads requests.
final class Responder: Sendable {
    let operations: AgentOperations
    let limits: ServerLimits
    let audit: AuditLog
    let entrance: Mutex<Entrance>

    init(operations: AgentOperations, limits: ServerLimits, audit: AuditLog) {
        self.operations = operations
        self.limits = limits
        self.audit = audit
        entrance = Mutex(Entrance(limits: limits))
    }

    /// Decides on a request by its head alone.
    ///
    /// - Throws: `tooManyRequests` where the connection is kept for other requests.
    func decide(_ head: RequestHead, of caller: Caller) throws(Problem) -> Result<AcceptedRequest, Refusal> {
        let decision = AcceptedRequest.decide(
            head, peer: caller.peer, policy: caller.acceptor.policy, tokens: caller.acceptor.tokens)
        if caller.isKept, case .success(let request) = decision, !request.route.isKept {
            throw limits.isFull(caller.peer.uid)
        }
        return decision
    }

    /// The reply to a request that ends with its head and needs no wait; nil for any other, of which nothing is noted.
    func replyAtOnce(to head: RequestHead, of caller: Caller) -> Reply? {
        guard head.contentLength == 0 else { return nil }
        switch try? decide(head, of: caller) {
        case .success(let request)?: return replyFromMemory(to: request, of: caller)
        case .failure(let refusal)?: return refusal.isFinal ? nil : reply(to: head, of: caller, with: refusal)
        case nil: return nil
        }
    }

    /// The reply to a request whose answer is in memory.
    func replyFromMemory(to request: AcceptedRequest, of caller: Caller) -> Reply? {
        switch request.route.action {
        case .credentials:
            guard let profile = request.profile, let credentials = operations.cachedCredentials(profile) else {
                return nil
            }
            return reply(to: request, of: caller, with: .credentials(credentials, caller.acceptor.policy.form))
        case .health: return reply(to: request, of: caller, with: .message(["status": "ok"]))
        default: return nil
        }
    }

    func reply(to request: AcceptedRequest, of caller: Caller, with answer: Answer) -> Reply {
        let policy = caller.acceptor.policy
        let answer = answer.told(by: policy)
        note(answer, to: caller, policy, request.route.action, request.profile, request.decision)
        return Reply(answer: answer, isLast: !request.head.isKeepAlive, profile: request.profile)
    }

    func reply(to head: RequestHead, of caller: Caller, with refusal: Refusal) -> Reply {
        let policy = caller.acceptor.policy
        let answer = refusal.answer.told(by: policy)
        note(answer, to: caller, policy, refusal.route, refusal.profile, refusal.decision)
        let mustClose = refusal.isFinal || head.contentLength > 0
        return Reply(
            answer: answer, isLast: mustClose || !head.isKeepAlive, lingers: mustClose,
            withBody: head.wantsBody)
    }

    private func note(
        _ answer: Answer, to caller: Caller, _ policy: Policy, _ route: Route.Action?, _ profile: ProfileName?,
        _ decision: Policy.Decision?
    ) {
        if let decision {
            let record = AuditRecord(
                peer: caller.peer, listener: policy.listener?.name, route: route, profile: profile, decision: decision,
                status: answer.status, problem: answer.problem?.code, issued: answer.issued)
            audit.note(record, as: AuditTally.Kind(record, isKnown: policy.knows))
        }
        guard let problem = answer.problem, let profile, route == .credentials || route == .refresh else { return }
        operations.noteRefusal(problem, profile, caller.peer)
    }
}
