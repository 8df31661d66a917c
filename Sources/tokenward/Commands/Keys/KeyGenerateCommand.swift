import AgentAPI
import AgentClient
import ArgumentParser

struct KeyGenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Have a token make a key pair that signs, and never leaves it.",
        discussion: "Nothing on the token is overwritten. The key's URI is the last line on standard output.")

    @Option(help: ArgumentHelp("The token's URI, as 'tokenward status' shows it.", valueName: "uri"))
    var token: String

    @Option(
        help: ArgumentHelp(
            "ec:p256, ec:p384, ec:p521, rsa:2048, rsa:3072 or rsa:4096.", valueName: "type"),
        completion: .list(["ec:p256", "ec:p384", "ec:p521", "rsa:2048", "rsa:3072", "rsa:4096"]))
    var type: String

    @Option(help: "The key's label on the token.")
    var label: String

    @Option(help: ArgumentHelp("The key's id on the token, in hexadecimal digits.", valueName: "hex"))
    var id: String

    @Flag(help: "Print the agent's JSON object.")
    var json = false

    @OptionGroup var management: ManagementOptions

    func validate() throws { try TokenURI.check(token) }

    func run() throws {
        let answer = try management.send(
            "/v1/keys/generate", [("uri", token), ("type", type), ("label", label), ("id", id)])
        if json { return try answer.printJSON() }
        let key = try answer.decode(KeyListing.self)
        try Voice.result(KeyTable.lines(of: key) + KeyTable.plain(key.uri) + "\n")
    }
}
