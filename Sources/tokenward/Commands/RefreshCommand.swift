import AgentAPI
import AgentClient
import ArgumentParser
import JSON
import PlainText

struct RefreshCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh", abstract: "Get a new session for a profile, and print when it ends.",
        discussion: "The credentials themselves are not printed.")

    @Argument(help: "The profile in the agent's configuration.", completion: ProfileCompletion.kind)
    var profile: String

    @Flag(help: "Print the access key id and the expiration as JSON.")
    var json = false

    @OptionGroup var agent: AgentOptions

    func run() throws {
        let answer = try agent.send(ChangeRequest.refresh(ProfileArgument.checked(profile)))
        let (key, end) = try answer.withBody { (body) throws(ClientFailure) in
            try CredentialAnswer.check(body)
            do throws(JSONFault) {
                let members = try JSONMembers(body)
                return (Self.text("AccessKeyId", members, body), Self.text("Expiration", members, body))
            } catch {
                throw .noJSON(error)
            }
        }
        guard json else { return try Voice.result(PlainText.terminal(end)) }
        try Voice.result(String(decoding: ["AccessKeyId": key, "Expiration": end].json, as: UTF8.self))
    }

    /// A member that is no secret. The rest of the answer is not copied anywhere.
    private static func text(_ name: StaticString, _ members: JSONMembers, _ body: Span<UInt8>) -> String {
        guard case .string(let range)? = members.value(name, in: body) else { return "" }
        return String(decoding: JSONString.decode(range, in: body), as: UTF8.self)
    }
}
