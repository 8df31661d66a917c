/// The canonical request, rebuilt from what arrived.
///
/// Source: AWS "Create a signed AWS API request", step 1, and the IAM Roles Anywhere user guide, "signing process".
/// The guide wants `=` in query values encoded twice, the common client encodes it once: only one of the two can be
/// right, and this takes the single form that SigV4 has everywhere else.
package struct CanonicalRequest: Sendable {
    package let text: String

    /// - Parameter signedHeaders: Lower-case names, in the order of the Authorization header.
    /// - Throws: A name that did not arrive exactly once.
    package init(_ request: ReceivedRequest, signedHeaders: [String]) throws(UnusableHeader) {
        var lines = [request.method, request.path, Self.query(request.query)]
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
    private static func query(_ raw: String) -> String {
        raw.split(separator: "&")
            .map { parameter in
                let halves = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let name = reencode(halves[0])
                return (name: name, value: halves.count == 2 ? reencode(halves[1]) : "")
            }
            .sorted { ($0.name, $0.value) < ($1.name, $1.value) }
            .map { "\($0.name)=\($0.value)" }
            .joined(separator: "&")
    }

    /// A sender may have left `:` and `/` as they are; the canonical form never does. What is no percent-encoding at
    /// all is taken as literal bytes, so that it can only fail to verify.
    private static func reencode(_ text: Substring) -> String {
        PercentEncoding.encode(PercentEncoding.decode(text) ?? Array(text.utf8))
    }

    private static func collapseSpaces(_ value: String) -> String {
        value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }
}

extension CanonicalRequest {
    /// What is signed (step 2 of the same page).
    package func stringToSign(algorithm: String, date: String, scope: String) -> String {
        [algorithm, date, scope, hash].joined(separator: "\n")
    }
}
