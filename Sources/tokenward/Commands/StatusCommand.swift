import AgentAPI
import AgentClient
import ArgumentParser
import PlainText

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the agent, its modules, tokens and profiles.",
        discussion: """
            In a pipe each line starts with what it tells of: agent, module, token, profile, refusal or notice.
            A refusal is the last one of a profile to a program: many keep the client's line to themselves.
            """)

    @OptionGroup var agent: AgentOptions

    @Flag(help: "Print the agent's JSON.")
    var json = false

    func run() throws {
        let answer = try agent.get("/v1/status")
        if json { return try answer.printJSON() }
        let status = try answer.decode(Status.self)
        let parts = [
            ("module", modules(status)), ("token", tokens(status)), ("profile", profiles(status)),
            ("refusal", refusals(status)),
        ]
        let version = PlainText.terminal(status.version)
        let notices = status.notices.map(PlainText.terminal)
        guard Voice.isTerminal else {
            let lines = parts.map { $1.separated(prefix: [$0]) }
            let remarks = notices.map { "notice\t\($0)\n" }
            return try Voice.result("agent\t\(version)\t\(status.uptimeSeconds)\n" + lines.joined() + remarks.joined())
        }
        let tables = parts.filter { !$1.isEmpty }.map { "\n" + $1.shown(in: Voice.columns) }
        let remarks = notices.map { "\n\($0)\n" }
        try Voice.result(
            "agent \(version), up \(Moment.span(status.uptimeSeconds))\n" + tables.joined() + remarks.joined())
    }

    private func modules(_ status: Status) -> Table {
        var table = Table("MODULE", "STATE", "LAST ERROR")
        for module in status.modules {
            table.append(module.module, module.state.text, module.lastError ?? "")
        }
        return table
    }

    private func tokens(_ status: Status) -> Table {
        var table = Table("TOKEN", "STATE", "PIN TRIES", "URI")
        for token in status.tokens {
            table.append(token.label, state(token), token.pinTries.text, token.uri)
        }
        return table
    }

    private func state(_ token: TokenListing) -> String {
        guard let awaiting = token.awaiting else { return token.state.text }
        return switch awaiting.known {
        case .touch: "\(token.state.text), waits for a touch"
        case .pinpad: "\(token.state.text), waits for its keypad"
        case nil: "\(token.state.text), waits: \(awaiting.text)"
        }
    }

    private func profiles(_ status: Status) -> Table {
        var table = Table(
            "PROFILE", "SOURCE", "SESSION UNTIL", "CERTIFICATE OR KEY", "LAST ERROR", "NEXT GESTURE", "STAND-IN",
            "SOURCE PROFILE", "AT MOST")
        for profile in status.profiles {
            table.append(
                profile.name, profile.source, profile.sessionExpiry.map(told) ?? "",
                profile.certificate?.uri ?? profile.accessKey?.uri ?? "", profile.lastError ?? "",
                profile.nextGesture.map { "\($0.kind.text) \(told($0.due))" } ?? "", profile.standIn ?? "",
                profile.sourceProfile ?? "", profile.sessionCapSeconds.map { "\($0) s" } ?? "")
        }
        return table
    }

    private func refusals(_ status: Status) -> Table {
        var table = Table("PROFILE", "REFUSED", "PROGRAM", "UID", "WHY")
        for profile in status.profiles {
            for refusal in profile.lastRefusals {
                table.append(
                    profile.name, refusal.time, refusal.program ?? "?", "\(refusal.uid)", refusal.detail)
            }
        }
        return table
    }

    /// A time, and on a terminal how far away it is.
    private func told(_ time: String) -> String {
        guard Voice.isTerminal, let distance = Moment(time)?.distance else { return time }
        return "\(time) (\(distance))"
    }
}
