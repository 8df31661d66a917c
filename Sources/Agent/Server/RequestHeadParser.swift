package import AgentAPI
import Encodings
import Prompts

/// A request line and what its header fields mean to this server (RFC 9112).
package struct RequestHead: Equatable {
    package var method = ""
    /// The path; there is never a query.
    package var path = ""
    package var isKeepAlive = true
    package var contentLength = 0
    /// A web page sent it: no program that belongs here sets `Origin` or `Sec-Fetch-…` (Fetch §3.2, Fetch Metadata §2).
    package var isFromBrowser = false
    /// A proxy passed it on, or a page links here: no client of an endpoint on loopback is behind one, or has come from one.
    package var isPassedOn = false
    /// The value of `Host`, which is checked where others than the file system's permissions decide who gets here.
    package var host = ""
    /// The value of `Authorization`.
    package var authorization: BearerToken?
    /// The value of `Tokenward-Person`, see `PromptPlace`.
    package var person: [UInt8] = []

    /// The status line may be all that a HEAD request gets (RFC 9110 §9.3.2).
    var wantsBody: Bool { method != "HEAD" }
}

/// Reads a request's head line by line as it arrives, and refuses whatever two readers could understand differently.
///
/// Stricter than RFC 9112 lets a server be: lines end in CRLF, paths are plain, bodies have a Content-Length.
package struct RequestHeadParser {
    /// Of all limits these two alone: each connection has a parser.
    private let mostBytes: Int
    private let mostFields: Int
    private var scanned = 0
    private var lineStart = 0
    private var lines = 0
    private var head = RequestHead()
    private var seen: Seen = []
    private var isHTTP10 = false

    private struct Seen: OptionSet {
        let rawValue: UInt8
        static let host = Self(rawValue: 1)
        static let contentLength = Self(rawValue: 2)
        static let authorization = Self(rawValue: 4)
    }

    package init(limits: ServerLimits) {
        mostBytes = limits.headBytes
        mostFields = limits.headerFields
    }

    /// Goes on where the last call stopped.
    ///
    /// - Parameter bytes: All bytes since the request's first one.
    /// - Returns: The head and its length with the empty line, or nil while it is incomplete.
    package mutating func read(_ bytes: Span<UInt8>) throws(Problem) -> (head: RequestHead, length: Int)? {
        while scanned < bytes.count {
            guard scanned < mostBytes else { throw tooLarge("head is longer than \(mostBytes) bytes") }
            let byte = bytes[scanned]
            scanned += 1
            switch byte {
            case UInt8(ascii: "\n"):
                guard scanned >= 2, bytes[scanned - 2] == UInt8(ascii: "\r") else {
                    throw bad("a line ends without CR")
                }
                let line = bytes.extracting(lineStart..<scanned - 2)
                lineStart = scanned
                if line.isEmpty, lines > 0 { return (try finish(), scanned) }
                if lines == 0 { try readRequestLine(line) } else { try readField(line) }
                lines += 1
            case _ where scanned >= 2 && bytes[scanned - 2] == UInt8(ascii: "\r"):
                throw bad("a CR stands without LF")
            case UInt8(ascii: "\r"), UInt8(ascii: "\t"), 0x20..<0x7F, 0x80...: continue
            default: throw bad("the head holds a control character")
            }
        }
        return nil
    }

    private mutating func readRequestLine(_ line: Span<UInt8>) throws(Problem) {
        guard let first = line.firstIndex(of: UInt8(ascii: " ")), first > 0, first <= 16,
            line.extracting(..<first).allSatisfy(\.isTokenCharacter)
        else { throw bad("the request line does not start with a method") }
        let rest = line.extracting((first + 1)...)
        guard let second = rest.firstIndex(of: UInt8(ascii: " ")) else {
            throw bad("the request line has no HTTP version")
        }
        head.method = line.extracting(..<first).text
        switch rest.extracting((second + 1)...).text {
        case "HTTP/1.1": break
        case "HTTP/1.0":
            isHTTP10 = true
            head.isKeepAlive = false
        default: throw bad("the HTTP version is not 1.1")
        }
        let target = rest.extracting(..<second)
        guard !target.isEmpty, target[0] == UInt8(ascii: "/") else {
            throw bad("the request target does not start with a slash")
        }
        guard target.allSatisfy(\.isPathCharacter) else {
            throw bad("the path holds a character that no path here has, or a query")
        }
        head.path = target.text
    }

    private mutating func readField(_ line: Span<UInt8>) throws(Problem) {
        guard lines <= mostFields else { throw tooLarge("head has more than \(mostFields) fields") }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
            line.extracting(..<colon).allSatisfy(\.isTokenCharacter)
        else { throw bad("a header field has no proper name") }  // a folded line among them
        let value = line.extracting(line.trimming((colon + 1)..<line.count))
        switch line.extracting(..<colon).text.lowercased() {
        case "host":
            guard !seen.contains(.host) else { throw bad("there are two Host fields") }
            seen.insert(.host)
            head.host = value.text
        case "content-length":
            guard !seen.contains(.contentLength) else { throw bad("there are two Content-Length fields") }
            seen.insert(.contentLength)
            head.contentLength = try length(value)
        case "transfer-encoding": throw bad("Transfer-Encoding is not taken: send Content-Length")
        case "upgrade": throw bad("Upgrade is not taken")
        case "connection":
            let options = value.text.lowercased().split { $0 == "," || $0 == " " || $0 == "\t" }
            if options.contains("close") { head.isKeepAlive = false }
        case "authorization":
            guard !seen.contains(.authorization) else { throw bad("there are two Authorization fields") }
            seen.insert(.authorization)
            head.authorization = BearerToken(presented: value.indices.map { value[$0] })
        case "origin": head.isFromBrowser = true
        case "referer", "forwarded", "via", "x-real-ip": head.isPassedOn = true
        case "tokenward-person":
            guard value.count <= PromptPlace.longestHeader else { throw tooLarge("Tokenward-Person is too long") }
            head.person = value.indices.map { value[$0] }
        case let name where name.utf8.starts(with: "sec-fetch-".utf8): head.isFromBrowser = true
        case let name where name.utf8.starts(with: "x-forwarded-".utf8) || name.utf8.starts(with: "proxy-".utf8):
            head.isPassedOn = true
        default: break
        }
    }

    private func length(_ value: Span<UInt8>) throws(Problem) -> Int {
        guard (1...10).contains(value.count), value.allSatisfy(\.isDigit),
            let length = Int(value.text)
        else { throw bad("Content-Length is no number") }
        return length
    }

    private func finish() throws(Problem) -> RequestHead {
        guard isHTTP10 || seen.contains(.host) else { throw bad("there is no Host field") }
        return head
    }

    private func bad(_ detail: String) -> Problem { Problem(.badRequest, "malformed request: \(detail, .reason)") }
    private func tooLarge(_ detail: String) -> Problem { Problem(.requestTooLarge, "the request's \(detail, .reason)") }
}

extension UInt8 {
    /// The unreserved characters of RFC 3986 §2.3, and the slash: no path here needs another, escaped or not.
    fileprivate var isPathCharacter: Bool { isUnreserved || self == UInt8(ascii: "/") }
}

extension Span<UInt8> {
    /// The bytes as text; those that are no UTF-8 become U+FFFD.
    fileprivate var text: String {
        unsafe withUnsafeBufferPointer { bytes in unsafe String(decoding: bytes, as: UTF8.self) }
    }

    fileprivate func firstIndex(of byte: UInt8) -> Int? {
        indices.first { self[$0] == byte }
    }

    fileprivate func allSatisfy(_ predicate: (UInt8) -> Bool) -> Bool {
        indices.allSatisfy { predicate(self[$0]) }
    }

    /// `range` without the optional white space of RFC 9110 §5.6.3 at both ends.
    fileprivate func trimming(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, self[start] == UInt8(ascii: " ") || self[start] == UInt8(ascii: "\t") { start += 1 }
        while start < end, self[end - 1] == UInt8(ascii: " ") || self[end - 1] == UInt8(ascii: "\t") { end -= 1 }
        return start..<end
    }
}
