import CCurl

/// A URL as libcurl's own parser reads it, so that no other parser decides whether it is safe.
struct RequestURL: Hashable, Sendable {
    let isPlaintext: Bool
    /// Lower case; an IPv6 address in its brackets; 127.1 and its kin in four parts.
    let host: String

    init(_ text: String) throws(TransportError) {
        guard !text.utf8.contains(0), let url = unsafe curl_url() else {
            throw .configuration("the URL cannot be read")
        }
        defer { unsafe curl_url_cleanup(url) }
        let flags = UInt32(CURLU_DISALLOW_USER)
        guard unsafe curl_url_set(url, CURLUPART_URL, text, flags) == CURLUE_OK,
            let scheme = unsafe Self.part(CURLUPART_SCHEME, of: url), scheme == "https" || scheme == "http",
            let host = unsafe Self.part(CURLUPART_HOST, of: url)
        else { throw .configuration("the URL is not one of http or https without user information") }
        isPlaintext = scheme == "http"
        self.host = host.lowercased()
    }

    /// 127.0.0.0/8, ::1, and `localhost`, which libcurl resolves by itself to one of them.
    var isLoopback: Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func part(_ part: CURLUPart, of url: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(url, part, &text, 0) == CURLUE_OK, let text = unsafe text else { return nil }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }
}
