/// The options that every command takes stand before the command as well: the parser reads those of a command behind it.
enum CommandLineOrder {
    private static let withValue: Set = ["--socket", "--agent-uid", "--timeout"]
    private static let withoutValue: Set = ["--json"]
    /// Commands with commands of their own, which take the options in their stead.
    private static let groups: Set = ["certificate", "key"]

    /// The options' names, for suggestions.
    static var names: [String] { Array(withValue.union(withoutValue)) }

    /// `arguments` with the shared options in front of the command moved behind it. From the first other option on
    /// everything stays where it is. Without a command they mean nothing, and go.
    static func commandFirst(_ arguments: [String]) -> [String] {
        var moved: [String] = []
        var rest = arguments[...]
        while let argument = rest.first {
            let name = argument.split(separator: "=", maxSplits: 1).first.map(String.init) ?? ""
            let count = argument == name && withValue.contains(name) ? 2 : 1
            guard withValue.contains(name) || withoutValue.contains(argument), rest.count >= count else { break }
            moved += rest.prefix(count)
            rest = rest.dropFirst(count)
        }
        guard let command = rest.first, !command.hasPrefix("-") else { return Array(rest) }
        let second = rest.dropFirst().first
        if groups.contains(command), let second, !second.hasPrefix("-") {
            return [command, second] + moved + rest.dropFirst(2)
        }
        return [command] + moved + rest.dropFirst()
    }
}
