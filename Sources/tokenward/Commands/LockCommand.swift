import AgentClient
import ArgumentParser

struct LockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock", abstract: "Make the agent forget PINs and credentials.",
        discussion: "Until 'tokenward unlock' nothing logs in again by itself. Without a URI: every token.")

    @Argument(help: "The token's PKCS#11 URI, as 'tokenward status' shows it.")
    var uri: String?

    @OptionGroup var agent: AgentOptions

    func validate() throws {
        if let uri { try TokenURI.check(uri) }
    }

    func run() throws {
        _ = try agent.send(ChangeRequest.lock(uri: uri))
        Voice.remark(uri.map { "\($0) is locked" } ?? "every token is locked")
    }
}
