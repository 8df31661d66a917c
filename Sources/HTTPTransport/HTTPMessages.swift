import CCurl
package import HeaderFields

/// A request without the headers that are made only when the connection stands.
package struct HTTPRequest: Hashable, Sendable {
    package enum Method: Hashable, Sendable {
        case get
        case post(body: [UInt8])
    }

    package var method: Method
    /// Of scheme https, sent as it stands: no dot segments removed, no escapes changed.
    package var url: String
    package var headers: [HeaderField]
    /// The absolute path of a PEM file, which replaces the system's roots.
    package var caBundle: String?
    /// Lets `url` be of scheme http if its host is a loopback address.
    package var allowsLoopbackPlaintext: Bool
    /// Set where the server must ask for the client's certificate, which `HTTPConnection.send` then has.
    package var clientKey: ClientKey?

    package init(
        method: Method, url: String, headers: [HeaderField] = [], caBundle: String? = nil,
        allowsLoopbackPlaintext: Bool = false, clientKey: ClientKey? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.caBundle = caBundle
        self.allowsLoopbackPlaintext = allowsLoopbackPlaintext
        self.clientKey = clientKey
    }
}

/// An answer, whole, whatever its status: redirects are not followed.
package struct HTTPResponse: Hashable, Sendable {
    package let status: Int
    /// In the order in which they came; trailers are dropped.
    package let headers: [HeaderField]
    package let body: [UInt8]
    package let timings: HTTPTimings
}

/// Where the time went, in microseconds. Each of the first two counts from the beginning, as libcurl does.
package struct HTTPTimings: Hashable, Sendable {
    /// The TCP connection stood, to the proxy if there is one.
    package let connect: Int64
    /// TLS stood, after the wait for the client's signature where there was one; 0 for plain HTTP.
    package let appConnect: Int64
    /// From the moment the headers were complete to the end.
    package let answer: Int64
    /// All of it, the wait for the headers included.
    package let total: Int64
}

/// How long an exchange may take, and how much may come back.
package struct HTTPLimits: Hashable, Sendable {
    /// Name, address, proxy and TLS together. The end of TLS after the client's signature has as much again, and the
    /// signature is limited by its maker.
    package var connectMilliseconds = 10_000
    /// From the moment the request can be sent to the last byte of the answer, however steadily it drips.
    package var answerMilliseconds = 15_000
    /// Of all header sections together, status lines included.
    package var headerBytes = 32_768
    package var bodyBytes = 262_144
    /// Answers of status 1xx before the real one.
    package var interimAnswers = 8

    package init() {}
}

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

    /// The host without brackets, and whether it is an address.
    var verifiedName: (text: String, isAddress: Bool) {
        if host.hasPrefix("[") { return (String(host.dropFirst().dropLast()), true) }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return (host, parts.count == 4 && parts.allSatisfy { UInt8($0) != nil })
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
