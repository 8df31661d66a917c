import ASN1
import Encodings

/// A subject alternative name (RFC 5280 §4.2.1.6) as a person writes it: `DNS:host`, `URI:…`, `email:…`, `IP:…`.
package struct AlternativeName: Hashable, Sendable {
    /// The most names in one request.
    package static let most = 100
    /// The longest name in bytes; a domain's name has 253 (RFC 1035 §2.3.4), an address of mail 254 (RFC 5321 §4.5.3.1).
    private static let longest = 1024

    /// `GeneralName`, DER.
    package let der: [UInt8]

    /// - Throws: `AlternativeNameError`.
    package init(_ text: String) throws(AlternativeNameError) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { throw AlternativeNameError(text, .noKind) }
        let value = Array(text.utf8[text.utf8.index(after: colon)...])
        guard !value.isEmpty else { throw AlternativeNameError(text, .empty) }
        guard value.count <= Self.longest else { throw AlternativeNameError(text, .tooLong) }
        // All four are ASCII (RFC 5280 §7.2 to §7.5): other letters are written in the ASCII form of their standard.
        guard value.allSatisfy(\.isVisible) else { throw AlternativeNameError(text, .notVisible) }
        switch text[..<colon].lowercased() {
        case "dns":
            guard Self.isDomain(value[...], mayHaveWildcard: true) else { throw AlternativeNameError(text, .noDomain) }
            der = DER.value(tag: 0x82, value)
        case "email":
            guard Self.isMailbox(value) else { throw AlternativeNameError(text, .noMailbox) }
            der = DER.value(tag: 0x81, value)
        case "uri":
            guard Self.isURI(value) else { throw AlternativeNameError(text, .noURI) }
            der = DER.value(tag: 0x86, value)
        case "ip":
            guard let address = IPAddress(value) else { throw AlternativeNameError(text, .noAddress) }
            der = DER.value(tag: 0x87, address.bytes)
        default: throw AlternativeNameError(text, .noKind)
        }
    }

    /// A domain's name in its preferred form (RFC 1034 §3.5 with RFC 1123 §2.1), and `*` for its first label where it may.
    /// An underscore is taken as well, as names of services have it.
    private static func isDomain(_ bytes: ArraySlice<UInt8>, mayHaveWildcard: Bool) -> Bool {
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return bytes.count <= 253
            && labels.enumerated().allSatisfy { index, label in
                if mayHaveWildcard, index == 0, labels.count > 1, label == [UInt8(ascii: "*")] { return true }
                return (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
                    && label.last != UInt8(ascii: "-")
                    && label.allSatisfy { $0.isAlphanumeric || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
            }
    }

    /// `Local-part@Domain` (RFC 5321 §4.1.2) with a local part that needs no quotation marks.
    private static func isMailbox(_ bytes: [UInt8]) -> Bool {
        let parts = bytes.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, bytes.count <= 254 else { return false }
        let atoms = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let special = Array("!#$%&'*+-/=?^_`{|}~".utf8)
        return parts[0].count <= 64 && isDomain(parts[1], mayHaveWildcard: false)
            && atoms.allSatisfy { atom in
                !atom.isEmpty && atom.allSatisfy { $0.isAlphanumeric || special.contains($0) }
            }
    }

    /// A scheme and something after it, of the characters that a URI has (RFC 3986 §2, §3), and no relative one (RFC 5280).
    private static func isURI(_ bytes: [UInt8]) -> Bool {
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > 0, bytes.count > colon + 1 else {
            return false
        }
        let isPunctuation = { (byte: UInt8) in "+-.".utf8.contains(byte) }
        guard bytes[0].isUppercase || bytes[0].isLowercase,
            bytes[..<colon].allSatisfy({ $0.isAlphanumeric || isPunctuation($0) })
        else { return false }
        let reserved = Array(":/?#[]@!$&'()*+,;=".utf8)
        return bytes.indices.allSatisfy { index in
            bytes[index] == UInt8(ascii: "%")
                ? PercentEncoding.unescape(bytes[index...]) != nil
                : bytes[index].isUnreserved || reserved.contains(bytes[index])
        }
    }
}

/// Why a text is no subject alternative name.
package struct AlternativeNameError: Error, Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        case noKind, empty, tooLong, notVisible, noDomain, noMailbox, noURI, noAddress
    }

    package let text: String
    package let reason: Reason

    init(_ text: String, _ reason: Reason) {
        self.text = text
        self.reason = reason
    }

    /// Without the text, which may hold anything.
    package var message: String {
        switch reason {
        case .noKind: "it starts with none of DNS:, URI:, email: and IP:"
        case .empty: "nothing stands behind the colon"
        case .tooLong: "it is too long"
        case .notVisible: "it holds a space, a control character or a letter that is not ASCII"
        case .noDomain: "it is no domain's name"
        case .noMailbox: "it is no address of mail"
        case .noURI: "it is no absolute URI"
        case .noAddress: "it is no address of IPv4 or IPv6"
        }
    }
}
