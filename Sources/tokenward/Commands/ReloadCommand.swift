import AgentClient
import ArgumentParser

struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Make the agent read its configuration again.",
        discussion: "What did not change keeps its sessions. A configuration with a fault changes nothing.")

    @OptionGroup var agent: AgentOptions

    func run() throws {
        _ = try agent.send(ChangeRequest.reload())
        Voice.remark("the configuration has been read again")
    }
}
