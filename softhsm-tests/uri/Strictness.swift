/// Something that p11-kit 0.24 takes and that we refuse on purpose.
///
/// Judged from the text alone and without our parser, so that a refusal for no good reason is found.
struct Strictness: Sendable {
    var name: String
    var reason: String
    var applies: @Sendable (URIText) -> Bool

    static let all: [Self] = [
        Self(name: "grammar", reason: "RFC 7512 §2.3 has no such character; p11-kit takes or skips it") {
            !$0.isInGrammar
        },
        Self(name: "empty attribute", reason: "the grammar has none; p11-kit ignores what follows ';;'") {
            $0.path.contains { $0.text.isEmpty } || $0.query.contains { $0.text.isEmpty }
        },
        Self(name: "vendor attribute", reason: "a slip in a name must not widen what a URI matches") { uri in
            uri.query.contains { !["pin-source", "module-name", "module-path"].contains($0.name) }
        },
        Self(name: "draft name", reason: "pin-source and pinfile in the path, objecttype and secretkey are older") {
            $0.path.contains { ["objecttype", "object-type", "pinfile", "pin-source"].contains($0.name) }
                || $0.path.contains { $0.value == "secretkey" }
        },
        Self(name: "duplicate", reason: "RFC 7512 §2.3 forbids it; p11-kit lets the last one win") {
            let names = ($0.path + $0.query).map(\.name)
            return Set(names).count < names.count
        },
        Self(name: "pin-value", reason: "a PIN does not belong in a URI") {
            $0.text.lowercased().contains("pin-value=")
        },
        Self(name: "number", reason: "p11-kit reads an empty slot-id as 0, and numbers that overflow as others") {
            $0.path.contains { attribute in
                switch attribute.name {
                case "slot-id": Int64(attribute.value) == nil
                case "library-version": attribute.value.split(separator: ".").contains { UInt8($0) == nil }
                default: false
                }
            }
        },
        Self(name: "NUL in the query", reason: "p11-kit cuts pin-source, module-name and module-path there") {
            $0.query.contains { $0.value.contains("%00") }
        },
        Self(name: "size", reason: "a value may have 1 KiB, so that hostile text stays small") {
            ($0.path + $0.query).contains { $0.length > 1024 }
        },
    ]
}

/// A URI cut into its parts at ':', '?', ';', '&' and '=', and nothing else done to it.
struct URIText {
    struct Attribute {
        var text: Substring
        var name: Substring { text.prefix { $0 != "=" } }
        var value: Substring { text.dropFirst(name.count + 1) }
        /// In bytes, with each escape as one.
        var length: Int { value.utf8.count - 2 * value.utf8.count { $0 == UInt8(ascii: "%") } }
    }

    let text: String
    let scheme: Substring
    let path: [Attribute]
    let query: [Attribute]

    init(_ text: String) {
        self.text = text
        scheme = text.prefix { $0 != ":" }
        let rest = text.dropFirst(scheme.count + 1)
        let pathText = rest.prefix { $0 != "?" }
        let queryText = rest.dropFirst(pathText.count + 1)
        path = Self.attributes(pathText, separator: ";")
        query = Self.attributes(queryText, separator: "&")
    }

    private static func attributes(_ text: Substring, separator: Character) -> [Attribute] {
        guard !text.isEmpty else { return [] }
        return text.split(separator: separator, omittingEmptySubsequences: false).map { Attribute(text: $0) }
    }

    /// Whether every character may stand where it does: RFC 7512 §2.3, pk11-pchar and pk11-qchar.
    var isInGrammar: Bool {
        let plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%:[]@!$'()*+,="
        return scheme.lowercased() == "pkcs11"
            && path.allSatisfy { $0.text.unicodeScalars.allSatisfy((plain + "&").unicodeScalars.contains) }
            && query.allSatisfy { $0.text.unicodeScalars.allSatisfy((plain + "/?|").unicodeScalars.contains) }
    }
}
