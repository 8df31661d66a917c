import Encodings
import Glibc
import PlainText

extension ListenerConfiguration {
    private enum KindName: String, CaseIterable {
        case socket
        case containerCredentials = "container-credentials"
        case imds
    }

    /// Reads a `[[listener]]`; nil, with a fault, where a required key is missing or wrong.
    init?(reading table: inout TableReader, accounts: AccountDirectory) {
        // The keys of a kind that is not served here are not faults.
        guard let name = table.required("kind", Self.kindName) else { return nil }
        let kind: Kind? =
            switch name {
            case .socket: Self.socket(&table, accounts)
            case .containerCredentials: Self.containerCredentials(&table, accounts)
            case .imds: nil
            }
        let profiles = table.required("profiles") { node throws(ValueFault) in
            let elements = try node.elements()
            guard !elements.isEmpty else { throw ValueFault(" is empty; name the profiles that are served there") }
            return try elements.map(Self.profile)
        }
        var allow: AllowList?
        if var list = table.table("allow", title: "allow of [[listener]]") {
            allow = AllowList(reading: &list, accounts: accounts)
            if list.has("gestures") { list.fault("gestures belongs into the allow of the profile") }
            if name != .socket, list.has("groups") {
                list.fault("groups is not taken here: of a TCP connection the kernel tells the user alone; list users")
            }
        } else if name != .socket {
            table.fault("\(table.title) has no allow; add allow = { users = [...] }: every user can reach the address")
        }
        table.refuseUnknownKeys()
        guard let kind, let profiles, name == .socket || allow != nil else { return nil }
        self.init(kind, profiles: Set(profiles), allow: allow)
    }

    private static func kindName(_ node: TOMLNode) throws(ValueFault) -> KindName {
        let text = try node.text()
        switch KindName(rawValue: text) {
        case .imds?:
            throw ValueFault(
                " is \(text.quoted), which this version does not serve yet; use \"container-credentials\"")
        case let name?: return name
        case nil: throw ValueFault(" is \(text.quoted); give \"socket\" or \"container-credentials\"")
        }
    }

    private static func socket(_ table: inout TableReader, _ accounts: AccountDirectory) -> Kind? {
        let path = table.required("path", Self.path)
        let group = table.value("group") { node throws(ValueFault) in
            try AllowList.id(node, "group", accounts.group)
        }
        let mode = table.value("mode", mode)
        return path.map { .socket(SocketFile(path: $0, mode: mode ?? (group == nil ? 0o600 : 0o660), group: group)) }
    }

    private static func containerCredentials(_ table: inout TableReader, _ accounts: AccountDirectory) -> Kind? {
        let address = table.required("address", address)
        let path = table.required("token-file", Self.path)
        let readers = table.list("readers") { node throws(ValueFault) in
            try AllowList.id(node, "user", accounts.user)
        }
        guard let address, let path else { return nil }
        return .containerCredentials(address, TokenFileSetting(path: path, readers: Set(readers)))
    }

    /// An absolute path in one spelling, so that two listeners with the same one are seen.
    private static func path(_ node: TOMLNode) throws(ValueFault) -> String {
        let path = try TOMLNode.absolutePath(try node.text())
        let parts = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard !parts.contains(where: { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }) else {
            throw ValueFault(" is \(path.quoted); write it without //, /./ and /../")
        }
        return path
    }

    private static func address(_ node: TOMLNode) throws(ValueFault) -> LoopbackAddress {
        let text = try node.text()
        guard let address = LoopbackAddress(text) else {
            throw ValueFault(
                " is \(text.quoted); give \"127.0.0.1:PORT\" or \"[::1]:PORT\", which no other machine can reach")
        }
        return address
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
