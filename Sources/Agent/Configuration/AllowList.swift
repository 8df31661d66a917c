import Encodings
import Files
import PlainText

/// The users and groups that may use a profile beside the agent's own user; empty if the profile has no `allow` table.
package struct AllowList: Hashable, Sendable {
    package var users: Set<UInt32> = []
    package var groups: Set<UInt32> = []
    /// Whether their requests may have a person act: touch the token, or type on its keypad.
    package var gestures = false

    /// The listed users and groups that no caller can be seen as.
    func unseen(users: KnownIDs, groups: KnownIDs) -> [String] {
        self.users.filter { !users.contains($0) }.sorted().map { "user \($0)" }
            + self.groups.filter { !groups.contains($0) }.sorted().map { "group \($0)" }
    }
}

extension AllowList {
    /// Reads a profile's `allow` table.
    init(reading table: inout TableReader, accounts: AccountDirectory) {
        users = Set(table.list("users") { node throws(ValueFault) in try Self.id(node, "user", accounts.user) })
        groups = Set(table.list("groups") { node throws(ValueFault) in try Self.id(node, "group", accounts.group) })
        gestures = table.boolean("gestures") ?? false
        table.refuseUnknownKeys()
        if !table.has("users"), !table.has("groups") {
            table.fault("\(table.title) is empty; add users or groups, or remove the table")
        }
    }

    static func id(
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
