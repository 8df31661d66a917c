import AgentAPI

/// A request that may be carried out once its body is here.
struct AcceptedRequest {
    let head: RequestHead
    let route: Route
    let profile: ProfileName?
    let decision: Policy.Decision
}

/// A request that may not, and why.
struct Refusal: Error {
    var answer: Answer
    var route: Route.Action?
    var profile: ProfileName?
    /// The policy's decision, if it was asked.
    var decision: Policy.Decision?
    /// Whether the connection ends with it.
    var isFinal = false
}

extension AcceptedRequest {
    /// Looks the route up, then asks the policy: nothing else decides who may do what.
    ///
    /// - Parameter tokens: Those of the endpoint on loopback that it came to.
    static func decide(
        _ head: RequestHead, peer: Peer, policy: Policy, tokens: EndpointTokens? = nil
    ) -> Result<AcceptedRequest, Refusal> {
        if let address = policy.listener?.address { return decide(head, at: address, peer, policy, tokens) }
        guard !head.isFromBrowser else {
            let problem = Problem(.forbidden, "requests from web pages are refused", hint: "use the command line")
            return .failure(Refusal(answer: .problem(problem), isFinal: true))
        }
        switch RouteMatch(method: head.method, path: head.path) {
        case .notFound:
            return .failure(Refusal(answer: .problem(Problem(.notFound, "there is no \(head.path, .path) here"))))
        case .methodNotAllowed(let allowed):
            let problem = Problem(.methodNotAllowed, "\(head.path, .path) takes \(allowed.rawValue, .method) only")
            return .failure(Refusal(answer: .problem(problem, allowed: allowed)))
        case .route(let route, let name):
            return decide(head, route: route, name: name, peer: peer, policy: policy)
        }
    }

    static func decide(
        _ head: RequestHead, route: Route, name: String, peer: Peer, policy: Policy
    ) -> Result<AcceptedRequest, Refusal> {
        let profile = ProfileName(name)
        let decision = policy.decide(peer, route, profile: profile)
        if case .deny(let reason) = decision {
            let answer = Answer.problem(policy.problem(reason))
            return .failure(Refusal(answer: answer, route: route.action, profile: profile, decision: decision))
        }
        if !name.isEmpty, profile.map(policy.knows) != true {
            let answer = Answer.problem(.unknownProfile(name.prefix(64)))
            return .failure(Refusal(answer: answer, route: route.action, profile: profile, decision: decision))
        }
        guard head.contentLength <= route.largestBody else {
            let detail: Problem.Detail =
                route.largestBody == 0
                ? "this request takes no body" : "the request's body is longer than \(route.largestBody, .limit) bytes"
            let answer = Answer.problem(Problem(.requestTooLarge, detail))
            return .failure(Refusal(answer: answer, route: route.action, profile: profile, decision: decision))
        }
        return .success(AcceptedRequest(head: head, route: route, profile: profile, decision: decision))
    }
}
