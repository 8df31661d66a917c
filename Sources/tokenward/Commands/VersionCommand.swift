import AgentAPI
import AgentClient
import ArgumentParser
import Outcomes

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    @Flag(help: "Print it as JSON.")
    var json = false

    func run() throws {
        let version = "\(Version.current)"
        try Voice.result(
            json ? String(decoding: ["version": version].json, as: UTF8.self) : "tokenward \(version)")
    }
}
