import Encodings

/// A request without the headers that are made only when the connection stands.
package struct HTTPRequest: Hashable, Sendable {
    package enum Method: Hashable, Sendable {
        case get
        case post(body: [UInt8])
    }

    package var method: Method
    /// Of scheme https, sent as it stands: no dot segments removed, no escapes changed.
    package var url: String
    package var headers: [HTTPHeader]
    /// The absolute path of a PEM file, which replaces the system's roots.
    package var caBundle: String?
    /// Lets `url` be of scheme http if its host is a loopback address.
    package var allowsLoopbackPlaintext: Bool

    package init(
        method: Method, url: String, headers: [HTTPHeader] = [], caBundle: String? = nil,
        allowsLoopbackPlaintext: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.caBundle = caBundle
        self.allowsLoopbackPlaintext = allowsLoopbackPlaintext
    }
}

/// A header of a request or of an answer.
package struct HTTPHeader: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// The line that libcurl sends, `nil` if it would be more than one, or none (RFC 9110 §5.1, §5.5).
    var line: String? {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isTokenCharacter), !value.isEmpty,
            value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        return "\(name): \(value)"
    }
}
