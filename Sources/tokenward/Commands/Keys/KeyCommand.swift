import ArgumentParser

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Make, list, verify and delete the keys on tokens.",
        subcommands: [
            KeyGenerateCommand.self, KeyListCommand.self, KeyVerifyCommand.self, KeyDestroyCommand.self,
        ])
}
