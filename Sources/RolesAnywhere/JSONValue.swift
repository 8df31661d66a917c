/// A JSON text, read (RFC 8259).
enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// As written; the service's answers hold none that we need.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }
}

/// Why bytes are not a JSON text that we take. It quotes nothing: the bytes may hold a secret.
struct JSONError: Error, Hashable, Sendable {
    let reason: String
    let offset: Int
}
