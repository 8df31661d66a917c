import Encodings
import PlainText

extension AllowList {
    /// Reads a profile's `allow` table.
    init(reading table: inout TableReader, accounts: AccountDirectory) {
        let users = table.list("users") { node throws(ValueFault) in
            try Self.id(node, "user", accounts.user)
        }
        let groups = table.list("groups") { node throws(ValueFault) in
            try Self.id(node, "group", accounts.group)
        }
        let gestures = table.value("gestures") { node throws(ValueFault) in try node.boolean() }
        table.refuseUnknownKeys()
        if !table.has("users"), !table.has("groups") {
            table.fault("\(table.title) is empty; add users or groups, or remove the table")
        }
        self.init(users: Set(users), groups: Set(groups), gestures: gestures ?? false)
    }

    private static func id(
        _ node: TOMLNode, _ kind: String, _ lookUp: (String) -> UInt32?
    ) throws(ValueFault) -> UInt32 {
        switch node.value {
        case .integer(let number):
            // The last one stands for "no change" in chown(2), and for no user.
            guard let id = UInt32(exactly: number), id != .max else {
                throw ValueFault(" holds \(number), which is no \(kind) id; give 0 to \(UInt32.max - 1)")
            }
            return id
        case .text:
            let name = try node.text(limit: 256)
            guard let id = lookUp(name) else {
                let advice = name.utf8.allSatisfy(\.isDigit) ? "write an id without quotes" : "correct the name"
                throw ValueFault(" names \(name.quoted), and there is no such \(kind); \(advice)")
            }
            return id
        default: throw ValueFault(" holds \(node.kind); give names as strings, or ids as integers")
        }
    }
}
