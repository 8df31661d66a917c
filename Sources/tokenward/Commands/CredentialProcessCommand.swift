import AgentClient
import ArgumentParser
import Glibc

struct CredentialProcessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credential-process",
        abstract: "Print a profile's credentials for AWS SDKs, as tokenward-credential-process does.",
        discussion: "tokenward-credential-process does the same in a tenth of the time: name that one in ~/.aws/config."
    )

    @Argument(parsing: .captureForPassthrough, help: "PROFILE and options, as tokenward-credential-process takes them.")
    var arguments: [String] = []

    func run() {
        Glibc.exit(CredentialClient.run(arguments.map { Array($0.utf8) }).rawValue)
    }
}
