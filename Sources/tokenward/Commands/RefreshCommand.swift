import AgentAPI
import AgentClient
import ArgumentParser
import PlainText

struct RefreshCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh", abstract: "Get a new session for a profile, and print when it ends.",
        discussion: "The credentials themselves are not printed.")

    @Argument(help: "The profile in the agent's configuration.", completion: ProfileCompletion.kind)
    var profile: String

    @Flag(help: "Read an MFA code from standard input: one line, whose end is taken off.")
    var mfaStdin = false

    @Flag(help: "Print the access key id and the expiration as JSON.")
    var json = false

    @OptionGroup var agent: AgentOptions

    func run() throws {
        let code: PINEntry? = mfaStdin ? try PINEntry.fromStandardInput(.mfaCode) : nil
        let request = try ChangeRequest.refresh(ProfileArgument(profile.utf8), code: code)
        let (key, end) = try request.withBytes { (bytes) throws(ClientFailure) in
            // The rest of the answer is not copied anywhere.
            try agent.send(bytes).withBody { (body) throws(ClientFailure) in
                let members = try CredentialAnswer.check(body)
                return (members.text("AccessKeyId", in: body) ?? "", members.text("Expiration", in: body) ?? "")
            }
        }
        guard json else { return try Voice.result(PlainText.terminal(end)) }
        try Voice.result(String(decoding: ["AccessKeyId": key, "Expiration": end].json, as: UTF8.self))
    }
}
