#if !hasFeature(Embedded)
    import Encodings
#endif

/// The requests of the agent's clients. The connection closes after the answer.
package enum AgentRequest {
    /// - Parameter path: Of characters that need no escape there.
    package static func get(_ path: String) -> [UInt8] { head("GET", path) }

    /// A profile's credentials. It names the person's terminal: the agent may have to ask for a PIN.
    package static func credentials(of profile: ProfileArgument) -> [UInt8] {
        head("GET", profile.path("/credentials"), PersonHeader.field())
    }

    /// - Parameter fields: Header fields with their line ends, beside those of every request.
    static func head(_ method: String, _ path: String, _ fields: [UInt8] = []) -> [UInt8] {
        var head = Array("\(method) \(path) HTTP/1.1\r\nHost: tokenward\r\nConnection: close\r\n".utf8)
        head += fields
        head += "\r\n".utf8
        return head
    }
}

/// The name of a profile, as it may stand in a request's path.
package struct ProfileArgument {
    package let name: String

    /// - Parameter bytes: 1 to 64 of `A-Z a-z 0-9 _ . -`, not starting with `.` or `-`.
    /// - Throws: Exit code 64 for anything else.
    package init(_ bytes: some Collection<UInt8>) throws(ClientFailure) {
        name = String(decoding: bytes, as: UTF8.self)
        let isValid = bytes.allSatisfy { byte in byte.isAlphanumeric || "_.-".utf8.contains(byte) }
        guard (1...64).contains(bytes.count), isValid, let first = bytes.first, !".-".utf8.contains(first) else {
            throw ClientFailure(
                .usage, "'\(name)' cannot be the name of a profile",
                hint: "use 1 to 64 letters, digits, '_', '.' and '-', with no '.' or '-' in front")
        }
    }

    package func path(_ end: String) -> String { "/v1/profiles/\(name)\(end)" }
}
