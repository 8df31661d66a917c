import Encodings

/// The two halves of a PKCS#11 URI, which allow different characters in a value (RFC 7512 §2.3).
enum URIComponent {
    case path
    case query

    /// What stands between two attributes.
    var separator: UInt8 {
        switch self {
        case .path: UInt8(ascii: ";")
        case .query: UInt8(ascii: "&")
        }
    }

    /// Whether `byte` may stand in a value as it is: `pk11-pchar` and `pk11-qchar`, escapes apart.
    func allows(_ byte: UInt8) -> Bool {
        if byte.isUnreserved { return true }
        return switch Unicode.Scalar(byte) {
        case ":", "[", "]", "@", "!", "$", "'", "(", ")", "*", "+", ",", "=": true
        case "&": self == .path
        case "/", "?", "|": self == .query
        default: false
        }
    }

    /// Whether a value is printed with `byte` as it is.
    ///
    /// Less than `allows`: what a shell acts on is escaped, because a label is whatever somebody wrote on a token, and
    /// people paste the URIs that we print. So is '=', that no label can look like an attribute.
    func printsPlainly(_ byte: UInt8) -> Bool {
        if byte.isUnreserved { return true }
        return switch Unicode.Scalar(byte) {
        case ":", "@", "+", ",": true
        case "/": self == .query
        default: false
        }
    }
}
