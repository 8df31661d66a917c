import AgentAPI
import AgentClient

/// What a person is told of the session that a command gets.
struct ExecSession {
    private let profile: String
    private let expiration: String
    private let account: String?

    /// - Parameter answer: The agent's, with credentials.
    init(profile: ProfileArgument, _ answer: borrowing AgentExchange) throws(ClientFailure) {
        self.profile = profile.name
        (expiration, account) = try answer.withBody { (body) throws(ClientFailure) in
            let members = try CredentialAnswer.check(body)
            return (members.text("Expiration", in: body) ?? "", members.text("AccountId", in: body))
        }
    }

    /// One line: which role, until when, and what will not happen then.
    ///
    /// - Parameter isRenewed: Whether the command gets other credentials after these.
    func told(by agent: AgentOptions, isRenewed: Bool, isShell: Bool) -> String {
        // The owner alone may ask for that; others are told the account.
        let status = (try? agent.get("/v1/profiles").decode([ProfileStatus].self))?.first { $0.name == profile }
        let role =
            status.map { " is \($0.roleARN)" } ?? account.map { " is a role of account \($0)" } ?? " has a session"
        let distance = Moment(expiration).map { " (\($0.distance))" } ?? ""
        var parts = ["\(profile)\(role) until \(expiration)\(distance)"]
        parts.append(isRenewed ? "it is renewed" : "it is not renewed")
        if status?.source == "assume-role" { parts.append("AWS ends a role that another role assumes after one hour") }
        if isShell { parts.append("'exit' ends this shell") }
        return parts.joined(separator: "; ")
    }
}
