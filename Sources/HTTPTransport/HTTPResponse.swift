/// An answer, whole, whatever its status: redirects are not followed.
package struct HTTPResponse: Hashable, Sendable {
    package let status: Int
    /// In the order in which they came; trailers are dropped.
    package let headers: [HTTPHeader]
    package let body: [UInt8]
    package let timings: HTTPTimings
}

/// Where the time went, in microseconds. Each of the first three counts from the beginning, as libcurl does.
package struct HTTPTimings: Hashable, Sendable {
    package let nameLookup: Int64
    /// The TCP connection stood, to the proxy if there is one.
    package let connect: Int64
    /// TLS stood; 0 for plain HTTP.
    package let appConnect: Int64
    /// From the moment the headers were complete to the end.
    package let answer: Int64
    /// All of it, the wait for the headers included.
    package let total: Int64
}
