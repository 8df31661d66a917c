package import AWSNames
import Encodings
import JSON

/// The options of a session.
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
    ) throws(RequestFault) {
        guard (900...43_200).contains(durationSeconds) else {
            throw RequestFault(message: "session duration \(durationSeconds) s: give 900 to 43200")
        }
        if let name = roleSessionName {
            guard (2...64).contains(name.utf8.count), name.utf8.allSatisfy(\.isIAMNameCharacter) else {
                throw RequestFault(
                    message: "role session name \(name.inQuotes): give 2 to 64 letters, digits or _+=,.@-")
            }
        }
        guard instanceProperties.count <= 50,
            instanceProperties.allSatisfy({
                (1...200).contains($0.key.unicodeScalars.count) && (1...200).contains($0.value.unicodeScalars.count)
            })
        else {
            throw RequestFault(
                message: "instance-properties: give at most 50, with names and values of 1 to 200 characters")
        }
        (self.durationSeconds, self.roleSessionName) = (durationSeconds, roleSessionName)
        self.instanceProperties = instanceProperties
    }

    /// The body of CreateSession, its members in one order, so that one session is one text.
    ///
    /// - Parameter arns: Those that are not in the query.
    func json(with arns: [String: String] = [:]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("durationSeconds")
        writer.integer(durationSeconds)
        Self.write(arns, to: &writer)
        if !instanceProperties.isEmpty {
            writer.name("instanceProperties")
            writer.beginObject()
            Self.write(instanceProperties, to: &writer)
            writer.endObject()
        }
        if let roleSessionName { writer.member("roleSessionName", roleSessionName) }
        writer.endObject()
        return writer.finish()
    }

    private static func write(_ members: [String: String], to writer: inout JSONWriter) {
        for (name, text) in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            writer.member(name, text)
        }
    }
}
