import AgentAPI
import AgentClient
import Glibc

/// Lets a person at a terminal choose the profile that the command line leaves out.
enum ProfilePicker {
    /// - Parameter name: The profile on the command line.
    /// - Throws: Exit code 64 for a name that is none, and where nobody can be asked.
    static func profile(_ name: String?, of agent: AgentOptions) throws(ClientFailure) -> ProfileArgument {
        if let name { return try ProfileArgument(name.utf8) }
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
            throw ClientFailure(
                .usage, "the profile is missing", hint: "give one of those that 'tokenward profiles' lists")
        }
        let profiles = try agent.get("/v1/profiles").decode([ProfileStatus].self)
            .compactMap { try? ProfileArgument($0.name.utf8) }  // a name that is none never reaches the terminal
        guard !profiles.isEmpty else {
            throw ClientFailure(
                .configuration, "the agent's configuration has no profile",
                hint: "write one, and run 'tokenward reload'")
        }
        for (index, profile) in profiles.enumerated() {
            try StandardStream.error.write("\(index + 1)  \(profile.name)\n")
        }
        try StandardStream.error.write("profile (number or name): ")
        let answer = line()
        if let number = Int(answer), profiles.indices.contains(number - 1) { return profiles[number - 1] }
        guard let profile = profiles.first(where: { $0.name == answer }) else {
            throw ClientFailure(.usage, "no profile was chosen", hint: "type a number or a name of the list")
        }
        return profile
    }

    /// What is typed up to the end of the line. What follows is the command's.
    private static func line() -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while unsafe read(STDIN_FILENO, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        return String(decoding: line, as: UTF8.self)
    }
}
