import AgentAPI
import AgentClient
import ArgumentParser

struct ProfilesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profiles", abstract: "List the profiles, the certificates that they use, and their sessions.",
        discussion: "A certificate's days and a session's time are those that are left. No token is asked for anything."
    )

    @OptionGroup var agent: AgentOptions

    @Flag(help: "Print the agent's JSON array.")
    var json = false

    func run() throws {
        let answer = try agent.get("/v1/profiles")
        if json { return try answer.printJSON() }
        let profiles = try answer.decode([ProfileStatus].self)
        guard !profiles.isEmpty else { return Voice.remark("the agent's configuration has no profile") }
        var table = Table("PROFILE", "SOURCE", "CERTIFICATE OR KEY", "DAYS LEFT", "SESSION", "TIME LEFT")
        for profile in profiles {
            let days = Moment(profile.certificate?.notAfter)?.daysLeft
            let session = profile.sessionExpiry
            table.append(
                profile.name, profile.source, profile.certificate?.uri ?? profile.accessKey?.uri ?? "",
                days.map(told) ?? "", session ?? "",
                Moment(session).map(told) ?? "")
        }
        try table.print()
    }

    /// A person reads `expired`; a program compares numbers.
    private func told(days: Int) -> String { days < 0 && Voice.isTerminal ? "expired" : "\(days)" }

    /// For a person in the two greatest units, for a program in seconds.
    private func told(session: Moment) -> String {
        let left = session.secondsLeft
        guard Voice.isTerminal else { return "\(left)" }
        return left > 0 ? Moment.span(left) : "expired"
    }
}
