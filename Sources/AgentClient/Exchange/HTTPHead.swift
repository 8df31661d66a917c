#if !hasFeature(Embedded)
    import Encodings
#endif

/// The head of an HTTP/1.1 answer (RFC 9112), as far as a client that trusts nothing needs it.
///
/// Stricter than the RFC where leniency has led to two readings of one message: bare line feeds, folded lines,
/// spaces before a colon, a repeated or missing Content-Length, and every Transfer-Encoding are refused.
package struct HTTPHead: Equatable {
    package let status: Int
    /// Where the body begins, in bytes from the start of the answer.
    package let bodyStart: Int
    package let bodyLength: Int

    /// The longest head that is read, in bytes.
    package static let longest = 16 * 1024

    /// Where the head that starts at 0 ends; nil while the empty line has not come.
    ///
    /// - Parameter start: What lies before it was looked at already.
    static func end(in bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = max(3, start)
        while index < bytes.count {
            if bytes[index] == lineFeed, bytes[index - 1] == carriageReturn, bytes[index - 2] == lineFeed,
                bytes[index - 3] == carriageReturn
            {
                return index + 1
            }
            index += 1
        }
        return nil
    }

    /// - Parameter end: What `end(in:from:)` returned.
    /// - Throws: `HTTPFault`, for the first thing that is wrong.
    package init(_ bytes: Span<UInt8>, end: Int) throws(HTTPFault) {
        var lines = HeadLines(end: end)
        guard let statusLine = try lines.next(in: bytes) else { throw .statusLine }
        status = try Self.status(bytes, statusLine)
        var length: Int?
        while let line = try lines.next(in: bytes) {
            let colon = try Self.colon(bytes, line)
            if bytes.matches("transfer-encoding", line.lowerBound..<colon) { throw .transferEncoding }
            guard bytes.matches("content-length", line.lowerBound..<colon) else { continue }
            guard length == nil else { throw .contentLength }
            length = try Self.length(bytes, colon + 1..<line.upperBound)
        }
        // 204 has no body, and so no length (RFC 9110 §8.6).
        guard let length = length ?? (status == 204 ? 0 : nil) else { throw .noContentLength }
        guard status != 204 || length == 0 else { throw .contentLength }
        bodyStart = end
        bodyLength = length
    }

    /// `HTTP/1.1 200 OK`; the reason phrase may be empty.
    private static func status(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(HTTPFault) -> Int {
        guard line.count >= 12, bytes.matches("http/1.", 0..<7), bytes[0] == UInt8(ascii: "H") else {
            throw .statusLine
        }
        guard bytes[7] == UInt8(ascii: "0") || bytes[7] == UInt8(ascii: "1"), bytes[8] == space else {
            throw .statusLine
        }
        guard line.count == 12 || bytes[12] == space else { throw .statusLine }
        var status = 0
        for index in 9..<12 {
            guard let digit = bytes[index].decimalDigit else { throw .statusLine }
            status = status * 10 + digit
        }
        guard (200...599).contains(status) else { throw .statusLine }
        return status
    }

    /// The colon behind a header's name, which is a token (RFC 9110 §5.6.2).
    private static func colon(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(HTTPFault) -> Int {
        for index in line {
            if bytes[index] == UInt8(ascii: ":"), index > line.lowerBound { return index }
            guard bytes[index].isTokenCharacter else { throw .headerLine }
        }
        throw .headerLine
    }

    /// Digits alone, at most nine of them, so that nothing overflows.
    private static func length(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(HTTPFault) -> Int {
        var value = value
        while let first = value.first, bytes[first].isBlank { value = first + 1..<value.upperBound }
        while let last = value.last, bytes[last].isBlank { value = value.lowerBound..<last }
        guard (1...9).contains(value.count) else { throw .contentLength }
        var length = 0
        for index in value {
            guard let digit = bytes[index].decimalDigit else { throw .contentLength }
            length = length * 10 + digit
        }
        return length
    }
}

/// What is wrong with an answer's head.
package enum HTTPFault: Error {
    case statusLine
    case headerLine
    case transferEncoding
    case noContentLength
    case contentLength

    var text: String {
        switch self {
        case .statusLine: "no HTTP/1.1 status line"
        case .headerLine: "a malformed header line"
        case .transferEncoding: "a Transfer-Encoding, which the agent never uses"
        case .noContentLength: "no Content-Length"
        case .contentLength: "a wrong Content-Length"
        }
    }
}

/// The lines of a head, without their ends; the empty line at its end is none.
private struct HeadLines {
    private var next = 0
    private let end: Int

    init(end: Int) { self.end = end }

    mutating func next(in bytes: Span<UInt8>) throws(HTTPFault) -> Range<Int>? {
        let start = next
        var index = start
        while bytes[index] != carriageReturn {
            // Line feeds, NUL and other controls have no place in a head; obs-text above 0x7F is let through.
            guard bytes[index] >= space || bytes[index] == tab, bytes[index] != 0x7F else { throw .headerLine }
            index += 1
        }
        guard index + 1 < end, bytes[index + 1] == lineFeed else { throw .headerLine }
        next = index + 2
        return index == start ? nil : start..<index
    }
}

private let carriageReturn = UInt8(ascii: "\r")
private let lineFeed = UInt8(ascii: "\n")
private let space = UInt8(ascii: " ")
private let tab = UInt8(ascii: "\t")

extension UInt8 {
    fileprivate var isBlank: Bool { self == space || self == tab }
}

extension Span<UInt8> {
    /// Whether the bytes in `range` are `text`, which is lower case ASCII, in any case.
    fileprivate func matches(_ text: StaticString, _ range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count {
            guard unsafe self[range.lowerBound + offset].lowercased == text.utf8Start[offset] else { return false }
        }
        return true
    }
}
