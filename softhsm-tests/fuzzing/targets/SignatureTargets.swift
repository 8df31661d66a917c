import HeaderFields
import SigV4
import X509

extension Target {
    /// Requests to sign: the canonical form is one of its kind, whatever the order of headers and parameters, and nothing in
    /// a path or a query adds a line or a parameter to it.
    static let signatures = Target(name: "signatures") { bytes in
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard let path = parts.first else { return }
        let pairs = zip(parts.dropFirst(), parts.dropFirst(2)).map { (key: $0, value: $1) }
        let query = CanonicalQuery.text(pairs)
        require(query == CanonicalQuery.text(pairs.reversed()), query)
        require(query.utf8.count { $0 == UInt8(ascii: "&") } == max(0, pairs.count - 1), query)
        require(query.utf8.count { $0 == UInt8(ascii: "=") } == pairs.count, query)
        let canonical = CanonicalPath.text(path)
        require(canonical.hasPrefix("/") && !canonical.contains("//"), canonical)
        require((canonical + query).utf8.allSatisfy { 0x21...0x7E ~= $0 }, canonical)
        require(path.contains("%") || CanonicalPath.text(canonical) == canonical || canonical.contains("%"), canonical)

        let names = ["host", "a", "A", "content-type", "x-amz-target"]
        let headers = parts.enumerated().map { HeaderField(name: names[$0 % names.count] + "-\($0)", value: $1) }
        let key = AccessKey(
            id: "AKIDEXAMPLE", secret: "secret", sessionToken: parts.count.isMultiple(of: 2) ? "t" : nil)
        let signed = [headers, headers.reversed()].map { headers in
            key.sign(
                UnsignedRequest(
                    service: "sts", region: "us-east-1", path: path, query: query, headers: headers, body: bytes),
                at: 1_440_938_160, with: HashFunctions(sha256: Digest.sha256, hmac: Digest.hmac))
        }
        require(signed[0].canonicalRequest == signed[1].canonicalRequest, path)
        require(signed[0].headers.last == signed[1].headers.last, path)
        require(signed[0].stringToSign.utf8.count { $0 == UInt8(ascii: "\n") } == 3, signed[0].stringToSign)
        let signature = signed[0].headers.last?.value.split(separator: "Signature=").last ?? ""
        require(signature.utf8.count == 64, String(signature))
    }
}
