import AgentAPI
import AgentClient
import ArgumentParser

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the certificates on all tokens, or explain which one a profile takes.")

    @OptionGroup var agent: AgentOptions

    @Flag(help: "Print the agent's JSON array.")
    var json = false

    @Option(
        help: ArgumentHelp("Tell which certificate this profile takes, and why not the others.", valueName: "profile"),
        completion: ProfileCompletion.kind)
    var explain: String?

    func run() throws {
        if let explain { return try printCandidates(of: explain) }
        let answer = try agent.get("/v1/identities")
        if json { return try answer.printJSON() }
        let identities = try answer.decode([IdentityListing].self)
        guard !identities.isEmpty else { return explainNothing() }
        var table = Table("URI", "SUBJECT", "SERIAL", "DAYS LEFT", "KEY", "PROFILES")
        for identity in identities {
            table.append(
                identity.uri, identity.subject, identity.serial, daysLeft(identity.notAfter),
                identity.hasKey ? identity.keyType : "\(identity.keyType), no private key",
                identity.profiles.joined(separator: ","))
        }
        try table.print()
    }

    /// A person reads `expired`; a program compares numbers.
    private func daysLeft(_ end: String) -> String {
        guard let days = Moment(end)?.daysLeft else { return "?" }
        return days < 0 && Voice.isTerminal ? "expired" : "\(days)"
    }

    /// Says why the list is empty: there is no module, no token, or no certificate that can be seen.
    private func explainNothing() {
        // Only a remark: the list itself has been answered, and is empty.
        guard let status = try? agent.get("/v1/status").decode(Status.self) else {
            return Voice.remark("no token has a certificate")
        }
        for module in status.modules where module.state.known == .failed {
            Voice.remark("\(module.module): \(module.lastError ?? "failed")")
        }
        guard !status.modules.isEmpty else {
            return Voice.remark("there is no PKCS#11 module: register one with p11-kit, or configure a [[module]]")
        }
        guard !status.tokens.isEmpty else { return Voice.remark("no token is present") }
        Voice.remark(
            status.tokens.contains { $0.state.known == .pinNeeded }
                ? "no token shows a certificate; 'tokenward unlock' may show more" : "no token has a certificate")
    }

    private func printCandidates(of profile: String) throws {
        let answer = try agent.get(ProfileArgument(profile.utf8).path("/explain"))
        if json { return try answer.printJSON() }
        let candidates = try answer.decode([ExplainedCandidate].self)
        guard !candidates.isEmpty else { return Voice.remark("no token has a certificate that \(profile) could take") }
        if let source = candidates.first?.sourceProfile {
            Voice.remark(
                "profile \(profile) takes no certificate or key: its sessions are made of those of \(source), which takes one"
            )
        }
        var table = Table("CHOSEN", "URI", "SUBJECT", "SERIAL", "NOT AFTER", "REASONS")
        for candidate in candidates {
            table.append(
                candidate.chosen ? "yes" : "no", candidate.uri, candidate.subject, candidate.serial,
                candidate.notAfter, candidate.reasons.joined(separator: "; "))
        }
        try table.print()
    }
}
