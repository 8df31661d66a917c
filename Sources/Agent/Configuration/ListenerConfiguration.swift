import Encodings
package import Glibc
import PlainText

/// A socket for one consumer, such as a container: reaching it is the permission, and it serves only the credentials of
/// these profiles.
package struct ListenerConfiguration: Hashable, Sendable {
    package var path: String
    package var mode: mode_t
    /// Nil: the agent's own.
    package var group: UInt32?
    package var profiles: Set<ProfileName>
    /// Who may use it; nil: every user who can reach it.
    package var allow: AllowList?

    /// Whether a socket that was made for `other` serves this one: who may ask for what there is no part of it.
    func isSameSocket(as other: Self) -> Bool { (path, mode, group) == (other.path, other.mode, other.group) }
}

extension ListenerConfiguration {
    /// Reads a `[[listener]]`; nil, with a fault, where a required key is missing or wrong.
    init?(reading table: inout TableReader, accounts: AccountDirectory) {
        let isServed = table.required("kind") { node throws(ValueFault) -> Bool in
            let text = try node.text()
            switch text {
            case "socket": return true
            case "container-credentials", "imds":
                throw ValueFault(" is \(text.quoted), which this version does not serve yet; use \"socket\"")
            default: throw ValueFault(" is \(text.quoted); give \"socket\"")
            }
        }
        // The keys of a kind that is not served here are not faults.
        guard isServed == true else { return nil }
        let path = table.required("path") { node throws(ValueFault) in try TOMLNode.absolutePath(try node.text()) }
        let group = table.value("group") { node throws(ValueFault) in
            try AllowList.id(node, "group", accounts.group)
        }
        let mode = table.value("mode", Self.mode)
        let profiles = table.required("profiles") { node throws(ValueFault) in
            let elements = try node.elements()
            guard !elements.isEmpty else { throw ValueFault(" is empty; name the profiles that are served there") }
            return try elements.map(Self.profile)
        }
        var allow: AllowList?
        if var list = table.table("allow", title: "allow of [[listener]]") {
            allow = AllowList(reading: &list, accounts: accounts)
            if list.has("gestures") { list.fault("gestures belongs into the allow of the profile") }
        }
        table.refuseUnknownKeys()
        guard let path, let profiles else { return nil }
        self.init(
            path: path, mode: mode ?? (group == nil ? 0o600 : 0o660), group: group, profiles: Set(profiles),
            allow: allow)
    }

    private static func mode(_ node: TOMLNode) throws(ValueFault) -> mode_t {
        let text = try node.text()
        guard text.utf8.count <= 4, text.utf8.allSatisfy(\.isDigit), let mode = mode_t(text, radix: 8),
            mode & ~0o666 == 0, mode & 0o600 == 0o600
        else { throw ValueFault(" is \(text.quoted); give a file mode such as \"0600\", \"0660\" or \"0666\"") }
        return mode
    }

    private static func profile(_ node: TOMLNode) throws(ValueFault) -> ProfileName {
        let text = try node.text()
        guard let name = ProfileName(text) else {
            throw ValueFault(" holds \(text.quoted), which is no profile's name")
        }
        return name
    }
}
