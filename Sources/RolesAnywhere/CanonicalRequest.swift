import Encodings
import HeaderFields
import UTCTime

/// A request in the one form that is hashed and signed (IAM Roles Anywhere user guide, "Signing process").
struct CanonicalRequest: Hashable, Sendable {
    /// Lower-case names, sorted, joined with `;`.
    let signedHeaders: String
    let text: String

    /// - Parameters:
    ///   - path: Only of characters that need no escape; see `Endpoint`.
    ///   - query: As it is sent; see `CanonicalQuery`.
    ///   - headers: All that are sent and signed. A name that comes twice has its values joined with a comma.
    init(method: String, path: String, query: String, headers: [HeaderField], bodyDigest: [UInt8]) {
        var values: [String: [String]] = [:]
        for header in headers { values[header.name.lowercased(), default: []].append(Self.collapsed(header.value)) }
        let sorted = values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        signedHeaders = sorted.map(\.key).joined(separator: ";")
        let lines = sorted.map { "\($0.key):\($0.value.joined(separator: ","))\n" }.joined()
        text = [method, path, query, lines, signedHeaders, Hexadecimal.encode(bodyDigest)].joined(separator: "\n")
    }

    /// Without outer spaces, and with runs of inner ones as one.
    private static func collapsed(_ value: String) -> String { value.split(separator: " ").joined(separator: " ") }
}

/// A query, sorted and escaped: the form that is signed is also the one that is sent.
enum CanonicalQuery {
    static func text(_ parameters: [String: String]) -> String {
        parameters.map { (escaped($0.key), escaped($0.value)) }
            .sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
            .map { "\($0)=\($1)" }
            .joined(separator: "&")
    }

    /// RFC 3986 §2.1 as SigV4 wants it: everything but unreserved characters, in upper case.
    private static func escaped(_ text: String) -> String {
        String(decoding: PercentEncoding.encode(text.utf8, plain: \.isUnreserved), as: UTF8.self)
    }
}

/// Algorithm, moment and scope of a SigV4-X509 signature.
struct SigningScope: Hashable, Sendable {
    let algorithm: String
    let time: UTCTime
    let region: String

    /// `yyyyMMdd/<region>/rolesanywhere/aws4_request`.
    private var text: String { "\(time.basic.prefix(8))/\(region)/rolesanywhere/aws4_request" }

    func stringToSign(canonicalDigest: [UInt8]) -> String {
        [algorithm, time.basic, text, Hexadecimal.encode(canonicalDigest)].joined(separator: "\n")
    }

    /// - Parameter serial: The certificate's serial number in decimal.
    func authorization(serial: String, signedHeaders: String, signature: [UInt8]) -> String {
        "\(algorithm) Credential=\(serial)/\(text), SignedHeaders=\(signedHeaders), "
            + "Signature=\(Hexadecimal.encode(signature))"
    }
}
