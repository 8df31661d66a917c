import AgentAPI

extension Problem {
    static let withdrawn = Problem(.locked, "the token was locked meanwhile", hint: "run 'tokenward unlock'")

    static func unknownProfile(_ name: some CustomStringConvertible) -> Problem {
        Problem(
            .unknownProfile, "there is no profile '\(name, .profile)'",
            hint: "'tokenward status' shows the profiles there are")
    }
}
