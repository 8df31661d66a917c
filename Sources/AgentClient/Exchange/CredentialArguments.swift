#if !hasFeature(Embedded)
    import Encodings
#endif

/// The command line of the thin client.
package struct CredentialArguments {
    package let profile: ProfileArgument
    package let socket: [UInt8]?
    package let agentUser: UInt32?
    package let timeoutMilliseconds: Int64

    package enum Outcome {
        case run(CredentialArguments)
        case help
        case version
    }

    /// - Parameter arguments: Without the program's own name.
    /// - Throws: Exit code 64, naming the argument that is wrong.
    package static func parse(_ arguments: [[UInt8]]) throws(ClientFailure) -> Outcome {
        let options: [StaticString] = ["--profile", "--socket", "--timeout", "--agent-uid"]
        var values: [[UInt8]?] = [nil, nil, nil, nil]
        var rest = arguments[...]
        var onlyOperands = false
        while var argument = rest.popFirst() {
            var option = 0
            if !onlyOperands, argument.first == UInt8(ascii: "-") {
                if argument.span.isEqual(to: "--help") || argument.span.isEqual(to: "-h") { return .help }
                if argument.span.isEqual(to: "--version") { return .version }
                onlyOperands = argument.span.isEqual(to: "--")
                if onlyOperands { continue }
                // `--name VALUE` or `--name=VALUE`.
                let equals = argument.firstIndex(of: UInt8(ascii: "=")) ?? argument.count
                guard let known = options.firstIndex(where: { argument.span.extracting(..<equals).isEqual(to: $0) })
                else { throw usage("there is no option \(String(decoding: argument, as: UTF8.self))") }
                option = known
                let attached = equals < argument.count ? Array(argument[(equals + 1)...]) : nil
                guard let value = attached ?? rest.popFirst() else { throw usage("\(options[option]) needs a value") }
                argument = value
            }
            guard values[option] == nil else {
                throw usage("\(option == 0 ? "PROFILE" : options[option]) is given twice")
            }
            values[option] = argument
        }
        guard let profile = values[0] else { throw usage("the profile is missing") }
        return .run(try CredentialArguments(ProfileArgument(profile), values[1], timeout: values[2], user: values[3]))
    }

    private init(
        _ profile: ProfileArgument, _ socket: [UInt8]?, timeout: [UInt8]?, user: [UInt8]?
    ) throws(ClientFailure) {
        self.profile = profile
        self.socket = socket
        guard let milliseconds = timeout.map(Deadline.milliseconds) ?? 50_000 else {
            throw Self.usage("--timeout is no number of seconds from 0.001 to 86400")
        }
        timeoutMilliseconds = milliseconds
        agentUser = user.flatMap { $0.span.decimalNumber.flatMap { UInt32(exactly: $0) } }
        guard user == nil || agentUser != nil else { throw Self.usage("--agent-uid is no number of a user") }
    }

    private static func usage(_ detail: String) -> ClientFailure {
        ClientFailure(.usage, detail, hint: "run 'tokenward-credential-process --help'")
    }
}
