import AgentAPI

extension AcceptedRequest {
    /// The same for an endpoint on loopback, where the port is open to every program and, through one, to web pages: each rule
    /// stands before whatever would tell more. Nothing of the request is repeated in the answer.
    static func decide(
        _ head: RequestHead, at address: LoopbackAddress, _ peer: Peer, _ policy: Policy, _ tokens: EndpointTokens?
    ) -> Result<AcceptedRequest, Refusal> {
        guard !head.isFromBrowser, !head.isPassedOn else {
            return refusal("requests from web pages and through proxies are refused", isFinal: true)
        }
        guard address.isMeant(byHost: head.host) else {
            return refusal("the Host field does not name \(address) or localhost", isFinal: true)
        }
        guard let token = head.authorization, tokens?.accepts(token) == true else {
            return refusal(
                "the Authorization field does not hold the endpoint's token",
                hint: "give the file in token-file as AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        }
        guard let name = profileName(in: head.path), ProfileName(name).map(policy.knows) == true else {
            let problem = Problem(
                .notFound, "there is nothing here but /v1/credentials/PROFILE, with a profile of [[listener]]")
            return .failure(Refusal(answer: .problem(problem)))
        }
        guard head.method == Route.Method.get.rawValue else {
            let problem = Problem(.methodNotAllowed, "credentials are asked for with GET")
            return .failure(Refusal(answer: .problem(problem, allowed: .get)))
        }
        return decide(head, route: .credentials, name: name, peer: peer, policy: policy)
    }

    /// The name in `/v1/credentials/NAME`; some SDKs put a slash at the end. Nil for any other path.
    private static func profileName(in path: String) -> String? {
        let start = "/v1/credentials/"
        guard path.utf8.starts(with: start.utf8) else { return nil }
        var name = path.utf8.dropFirst(start.utf8.count)
        if name.last == UInt8(ascii: "/") { name.removeLast() }
        return name.isEmpty || name.contains(UInt8(ascii: "/")) ? nil : String(Substring(name))
    }

    private static func refusal(
        _ reason: String, hint: String? = nil, isFinal: Bool = false
    ) -> Result<AcceptedRequest, Refusal> {
        .failure(
            Refusal(
                answer: .problem(Problem(.forbidden, "\(reason, .reason)", hint: hint)), route: .credentials,
                decision: .deny(reason: reason), isFinal: isFinal))
    }
}
