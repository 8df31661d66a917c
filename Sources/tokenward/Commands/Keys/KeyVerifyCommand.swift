import AgentAPI
import AgentClient
import ArgumentParser

struct KeyVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Tell what a token says of a key: made there, never to leave it, for signatures only.")

    @Argument(help: "The key's URI, as 'tokenward key list' shows it.")
    var uri: String

    @Flag(help: "Print the agent's JSON object, for auditors.")
    var json = false

    @OptionGroup var management: ManagementOptions

    func validate() throws { try TokenURI.check(uri) }

    func run() throws {
        let answer = try management.send("/v1/keys/verify", [("uri", uri)])
        if json { return try answer.printJSON() }
        let key = try answer.decode(KeyListing.self)
        try Voice.result(KeyTable.lines(of: key))
    }
}
