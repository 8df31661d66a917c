import AgentAPI
import AgentClient
import ArgumentParser

struct KeyListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys on all tokens, as far as they are shown without a login.",
        discussion: "'tokenward unlock' shows those that a token hides until then.")

    @Flag(help: "Print the agent's JSON array.")
    var json = false

    @OptionGroup var agent: AgentOptions

    func run() throws {
        let answer = try agent.get("/v1/keys")
        if json { return try answer.printJSON() }
        let keys = try answer.decode([KeyListing].self)
        guard !keys.isEmpty else {
            return Voice.remark("no token shows a key; 'tokenward unlock' may show more")
        }
        var table = Table("URI", "TYPE", "PRIVATE KEY", "CERTIFICATES")
        for key in keys {
            table.append(key.uri, key.keyType, key.hasPrivateKey ? "yes" : "not shown", "\(key.certificates)")
        }
        try table.print()
    }
}
