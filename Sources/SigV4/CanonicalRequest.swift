import Encodings
package import HeaderFields

/// A request in the one form that is hashed and signed (IAM user guide, "Create a signed AWS API request", and IAM Roles
/// Anywhere user guide, "Signing process").
package struct CanonicalRequest: Hashable, Sendable {
    /// Lower-case names, sorted, joined with `;`.
    package let signedHeaders: String
    package let text: String

    /// - Parameters:
    ///   - path: As `CanonicalPath` makes it.
    ///   - query: As it is sent; see `CanonicalQuery`.
    ///   - headers: All that are signed. A name that comes twice has its values joined with a comma.
    package init(method: String, path: String, query: String, headers: [HeaderField], bodyDigest: [UInt8]) {
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

/// The path of a request, as every service but S3 has it signed.
package enum CanonicalPath {
    /// - Parameter path: As it is sent, its own escapes included, which are escaped once more.
    /// - Returns: Without dot segments and doubled slashes, and escaped. A path of unreserved characters and single slashes
    ///   stays as it is.
    package static func text(_ path: String) -> String {
        var segments: [Substring.UTF8View] = []
        for segment in path[...].utf8.split(separator: UInt8(ascii: "/")) {
            if segment.elementsEqual("..".utf8) {
                _ = segments.popLast()
            } else if !segment.elementsEqual(".".utf8) {
                segments.append(segment)
            }
        }
        let isFolder = path.utf8.last == UInt8(ascii: "/") && !segments.isEmpty
        return "/" + segments.map(escaped).joined(separator: "/") + (isFolder ? "/" : "")
    }
}

/// A query, sorted and escaped: the form that is signed is also the one that is sent, in a URL or as the body of a form.
package enum CanonicalQuery {
    package static func text(_ parameters: some Sequence<(key: String, value: String)>) -> String {
        parameters.map { (name: escaped($0.key.utf8), value: escaped($0.value.utf8)) }
            .sorted { $0.name == $1.name ? $0.value < $1.value : $0.name < $1.name }
            .map { "\($0.name)=\($0.value)" }
            .joined(separator: "&")
    }
}

/// RFC 3986 §2.1 as SigV4 wants it: everything but unreserved characters, in upper case.
private func escaped(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: PercentEncoding.encode(bytes, plain: \.isUnreserved), as: UTF8.self)
}
