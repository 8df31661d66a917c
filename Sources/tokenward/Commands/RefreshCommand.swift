import AgentClient
import ArgumentParser
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
            try CredentialDocument.check(body)
            return (try text("AccessKeyId", body), try text("Expiration", body))
        }
        try Voice.result(json ? "{\"AccessKeyId\":\"\(key)\",\"Expiration\":\"\(end)\"}" : PlainText.terminal(end))
    }

    /// A member that is no secret, still escaped as JSON has it. The rest of the answer is not copied anywhere.
    private func text(_ name: StaticString, _ body: Span<UInt8>) throws(ClientFailure) -> String {
        do throws(JSONFault) {
            guard let range = try JSONScanner.member(name, of: body) else { return "" }
            let quoted = body.extracting(range)
            return unsafe quoted.withUnsafeBytes { unsafe String(decoding: $0.dropFirst().dropLast(), as: UTF8.self) }
        } catch {
            throw .badAnswer("no JSON, at byte \(error.offset)")
        }
    }
}
