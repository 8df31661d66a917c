/// A request line and what its header fields mean to this server (RFC 9112).
package struct RequestHead: Hashable {
    package var method = ""
    /// The path; there is never a query.
    package var path = ""
    package var isKeepAlive = true
    package var contentLength = 0
    /// A web page sent it: no program that belongs here sets `Origin` or `Sec-Fetch-…` (Fetch §3.2, Fetch Metadata §2).
    package var isFromBrowser = false
    /// The value of `Tokenward-Person`, see `PromptPlace`.
    package var person: [UInt8] = []

    /// The status line may be all that a HEAD request gets (RFC 9110 §9.3.2).
    var wantsBody: Bool { method != "HEAD" }
}
