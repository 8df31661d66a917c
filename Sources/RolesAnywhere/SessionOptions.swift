import Encodings

/// What a session is asked to be like.
package struct SessionOptions: Hashable, Sendable {
    package let durationSeconds: Int
    package let roleSessionName: String?
    package let instanceProperties: [String: String]

    /// - Parameters:
    ///   - durationSeconds: 900 to 43,200. The service gives the profile's own limit if that is less.
    ///   - roleSessionName: 2 to 64 of `[\w+=,.@-]` (STS API reference, AssumeRole).
    ///   - instanceProperties: At most 50, of 1 to 200 characters each (Roles Anywhere API model).
    package init(
        durationSeconds: Int = 3600, roleSessionName: String? = nil, instanceProperties: [String: String] = [:]
    ) throws(CreateSessionRequestError) {
        guard (900...43_200).contains(durationSeconds) else {
            throw CreateSessionRequestError(message: "session duration \(durationSeconds) s: give 900 to 43200")
        }
        if let name = roleSessionName {
            guard (2...64).contains(name.utf8.count), name.utf8.allSatisfy(\.isIAMNameCharacter) else {
                throw CreateSessionRequestError(
                    message: "role session name \(name.inQuotes): give 2 to 64 letters, digits or _+=,.@-")
            }
        }
        guard instanceProperties.count <= 50,
            instanceProperties.allSatisfy({
                (1...200).contains($0.key.unicodeScalars.count) && (1...200).contains($0.value.unicodeScalars.count)
            })
        else {
            throw CreateSessionRequestError(
                message: "instance properties: give at most 50, with names and values of 1 to 200 characters")
        }
        (self.durationSeconds, self.roleSessionName) = (durationSeconds, roleSessionName)
        self.instanceProperties = instanceProperties
    }

    /// The body of CreateSession, its members in one order, so that one session is one text.
    ///
    /// - Parameter arns: Those that are not in the query.
    func json(with arns: [String: String] = [:]) -> String {
        var members = ["\"durationSeconds\":\(durationSeconds)"]
        members += arns.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\(Self.quoted($0.value))" }
        if !instanceProperties.isEmpty {
            let properties = instanceProperties.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
            members.append("\"instanceProperties\":{\(properties.joined(separator: ","))}")
        }
        if let roleSessionName { members.append("\"roleSessionName\":\(Self.quoted(roleSessionName))") }
        return "{\(members.joined(separator: ","))}"
    }

    /// RFC 8259 §7.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                result.unicodeScalars.append("\\")
                result.unicodeScalars.append(scalar)
            case "\0"..."\u{1F}":
                result += "\\u00" + Hexadecimal.encode([UInt8(scalar.value)])
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
