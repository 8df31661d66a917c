/// The canonical request, rebuilt from a request as it arrived.
///
/// Source: AWS "Create a signed AWS API request", step 1, and the IAM Roles Anywhere user guide, "signing process".
package struct CanonicalRequest: Sendable {
    package let text: String

    /// How often `=` in the value of a query parameter is encoded.
    package enum EqualsSigns: Sendable {
        /// As AWS' own programs do for every other service.
        case once
        /// As the IAM Roles Anywhere user guide asks for.
        case twice
    }

    /// - Parameter signedHeaders: Lower-case names, in the order of the Authorization header.
    /// - Throws: A name that did not arrive exactly once.
    package init(
        _ request: ReceivedRequest, signedHeaders: [String], equalsSigns: EqualsSigns
    ) throws(UnusableHeader) {
        var lines = [request.method, request.path, Self.query(request.query, equalsSigns)]
        for name in signedHeaders {
            guard let value = request.value(of: name) else {
                throw UnusableHeader(name: name, occurrences: request.values(of: name).count)
            }
            lines.append("\(name):\(Self.collapseSpaces(value))")
        }
        lines += ["", signedHeaders.joined(separator: ";"), Hex.encode(Digest.sha256(request.body))]
        text = lines.joined(separator: "\n")
    }

    package var hash: String { Hex.encode(Digest.sha256(Array(text.utf8))) }

    package struct UnusableHeader: Error {
        package let name: String
        package let occurrences: Int
    }
}

extension CanonicalRequest {
    private static func query(_ raw: String, _ equalsSigns: EqualsSigns) -> String {
        raw.split(separator: "&")
            .map { parameter in
                let halves = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let name = reencode(halves[0])
                var value = halves.count == 2 ? reencode(halves[1]) : ""
                if equalsSigns == .twice {
                    value = value.split(separator: "%3D", omittingEmptySubsequences: false).joined(separator: "%253D")
                }
                return (name: name, value: value)
            }
            .sorted { ($0.name, $0.value) < ($1.name, $1.value) }
            .map { "\($0.name)=\($0.value)" }
            .joined(separator: "&")
    }

    /// A sender may have left `:` and `/` as they are; the canonical form never does. Invalid percent-encoding is
    /// taken as literal bytes, so that it can only fail to verify.
    private static func reencode(_ text: Substring) -> String {
        PercentEncoding.encode(PercentEncoding.decode(text) ?? Array(text.utf8))
    }

    private static func collapseSpaces(_ value: String) -> String {
        value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }
}

extension CanonicalRequest {
    /// The text that is signed (step 2 of the same page).
    package func stringToSign(algorithm: String, date: String, scope: String) -> String {
        [algorithm, date, scope, hash].joined(separator: "\n")
    }
}
