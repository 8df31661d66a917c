import Encodings
import PlainText

/// A profile's name: 1 to 64 of `A-Z a-z 0-9 _ . -`, not starting with a dot or a dash.
package struct ProfileName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let description: String

    package init?(_ text: String) {
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0.isAlphanumeric || "_.-".utf8.contains($0) }),
            text.utf8.first != UInt8(ascii: "."), text.utf8.first != UInt8(ascii: "-")
        else { return nil }
        description = text
    }

    package static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}

extension ProfileName {
    init(reading node: TOMLNode) throws(ValueFault) {
        let text = try node.text()
        guard let name = ProfileName(text) else { throw ValueFault(" is \(text.quoted), which is no profile's name") }
        self = name
    }
}
