/// The command line of the thin client.
package struct CredentialArguments {
    package private(set) var profile: ProfileArgument
    package private(set) var socket: [UInt8]?
    package private(set) var agentUser: UInt32?
    package private(set) var timeoutMilliseconds: Int64 = 50_000

    package enum Outcome {
        case run(CredentialArguments)
        case help
        case version
    }

    /// - Parameter arguments: Without the program's own name.
    /// - Throws: Exit code 64, naming the argument that is wrong.
    package static func parse(_ arguments: [[UInt8]]) throws(ClientFailure) -> Outcome {
        var profile: [UInt8]?
        var socket: [UInt8]?
        var timeout: [UInt8]?
        var agentUser: [UInt8]?
        var index = 0
        var onlyOperands = false
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            if onlyOperands || argument.first != UInt8(ascii: "-") {
                try set(&profile, argument, "PROFILE")
            } else if argument.span.isEqual(to: "--") {
                onlyOperands = true
            } else if argument.span.isEqual(to: "--help") || argument.span.isEqual(to: "-h") {
                return .help
            } else if argument.span.isEqual(to: "--version") {
                return .version
            } else if let value = try value(of: "--profile", argument, arguments, &index) {
                try set(&profile, value, "PROFILE")
            } else if let value = try value(of: "--socket", argument, arguments, &index) {
                try set(&socket, value, "--socket")
            } else if let value = try value(of: "--timeout", argument, arguments, &index) {
                try set(&timeout, value, "--timeout")
            } else if let value = try value(of: "--agent-uid", argument, arguments, &index) {
                try set(&agentUser, value, "--agent-uid")
            } else {
                throw usage("there is no option \(String(decoding: argument, as: UTF8.self))")
            }
        }
        guard let profile else { throw usage("the profile is missing") }
        guard let name = ProfileArgument(profile) else { throw ProfileArgument.invalid(profile) }
        var result = CredentialArguments(profile: name)
        result.socket = socket
        if let timeout {
            guard let milliseconds = Deadline.milliseconds(timeout) else {
                throw usage("--timeout is no number of seconds from 0.001 to 86400")
            }
            result.timeoutMilliseconds = milliseconds
        }
        if let agentUser {
            guard let user = TrustedUsers.number(agentUser) else { throw usage("--agent-uid is no number of a user") }
            result.agentUser = user
        }
        return .run(result)
    }

    private init(profile: ProfileArgument) { self.profile = profile }

    private static func set(_ slot: inout [UInt8]?, _ value: [UInt8], _ name: StaticString) throws(ClientFailure) {
        guard slot == nil else { throw usage("\(name) is given twice") }
        slot = value
    }

    /// `--name VALUE` or `--name=VALUE`; nil when `argument` is another option.
    private static func value(
        of name: StaticString, _ argument: [UInt8], _ arguments: [[UInt8]], _ index: inout Int
    ) throws(ClientFailure) -> [UInt8]? {
        let length = name.utf8CodeUnitCount
        guard argument.count >= length, argument.span.extracting(0..<length).isEqual(to: name) else { return nil }
        if argument.count > length {
            return argument[length] == UInt8(ascii: "=") ? Array(argument[(length + 1)...]) : nil
        }
        guard index < arguments.count else { throw usage("\(name) needs a value") }
        index += 1
        return arguments[index - 1]
    }

    private static func usage(_ detail: String) -> ClientFailure {
        ClientFailure(.usage, detail, hint: "run 'tokenward-credential-process --help'")
    }
}
