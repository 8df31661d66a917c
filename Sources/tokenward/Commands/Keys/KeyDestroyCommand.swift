import AgentAPI
import AgentClient
import ArgumentParser
import Glibc

struct KeyDestroyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy", abstract: "Delete a key pair from a token, for good; certificates stay.",
        discussion: "The serial number of the token must be typed, or given with --serial.")

    @Argument(help: "The key's URI, as 'tokenward key list' shows it.")
    var uri: String

    @Option(help: ArgumentHelp("The serial number of the token, in the place of typing it.", valueName: "serial"))
    var serial: String?

    @Flag(help: "Print the agent's JSON object of what was deleted.")
    var json = false

    @OptionGroup var management: ManagementOptions

    func validate() throws { try TokenURI.check(uri) }

    func run() throws {
        let serial = try self.serial ?? askForSerial()
        let answer = try management.send("/v1/keys/destroy", [("uri", uri), ("serial", serial)])
        if json { return try answer.printJSON() }
        let key = try answer.decode(KeyListing.self)
        Voice.remark("key \(key.uri) is deleted")
    }

    /// Shows what the URI means as far as the tokens show it, and has the person type which token that is.
    private func askForSerial() throws -> String {
        guard isatty(STDIN_FILENO) == 1, !management.pinStdin else {
            throw ClientFailure(
                .usage, "nobody can type the token's serial number here",
                hint: "give it with --serial; 'tokenward status --json' shows it")
        }
        let tokens = try management.agent.get("/v1/tokens").decode([TokenListing].self)
        let found = try TokenURI.matching(object: uri, tokens)
        guard found.count == 1 else {
            throw ClientFailure(
                .noInput, "\(found.count) tokens match \(uri)",
                hint: "'tokenward key list' shows the keys and their URIs")
        }
        Voice.remark("this deletes key \(uri)")
        Voice.remark("from token \(found[0].label) with the serial number \(found[0].serial), for good")
        try? StandardStream.error.write("type the serial number of the token: ")
        guard let line = readLine(strippingNewline: true), !line.isEmpty else {
            throw ClientFailure(.usage, "no serial number was typed", hint: "nothing was deleted")
        }
        return line
    }
}
