#if !hasFeature(Embedded)
    import Encodings
#endif

/// The head of an HTTP/1.1 answer (RFC 9112), as far as a client that trusts nothing needs it.
///
/// Stricter than the RFC where leniency has led to two readings of one message: bare line feeds, folded lines,
/// spaces before a colon, a repeated or missing Content-Length, and every Transfer-Encoding are refused.
package struct HTTPHead {
    package let status: Int
    /// Where the body begins, in bytes from the start of the answer.
    package let bodyStart: Int
    package let bodyLength: Int

    /// The longest head that is read, in bytes.
    static let longest = 16 * 1024

    /// Where the head that starts at 0 ends; nil while the empty line has not come.
    ///
    /// - Parameter start: What lies before it was looked at already.
    static func end(in bytes: Span<UInt8>, from start: Int) -> Int? {
        for end in stride(from: max(4, start), through: bytes.count, by: 1)
        where bytes.extracting(end - 4..<end).isEqual(to: "\r\n\r\n") {
            return end
        }
        return nil
    }

    /// - Parameter bytes: Up to what `end(in:from:)` returned.
    /// - Throws: For the first thing that is wrong.
    package init(_ bytes: Span<UInt8>) throws(ClientFailure) {
        var next = 0
        status = try Self.status(bytes.extracting(Self.nextLine(in: bytes, &next)))
        var length: Int?
        while true {
            let line = bytes.extracting(try Self.nextLine(in: bytes, &next))
            if line.isEmpty { break }
            let colon = try Self.colon(in: line)
            let name = line.extracting(..<colon)
            if name.isEqual(to: "transfer-encoding", ignoringCase: true) {
                throw .badAnswer("a Transfer-Encoding, which the agent never uses")
            }
            guard name.isEqual(to: "content-length", ignoringCase: true) else { continue }
            guard length == nil, let value = Self.length(line.extracting((colon + 1)...)) else {
                throw Self.wrongLength
            }
            length = value
        }
        // 204 has no body, and so no length (RFC 9110 §8.6).
        guard let length = length ?? (status == 204 ? 0 : nil) else { throw .badAnswer("no Content-Length") }
        guard status != 204 || length == 0 else { throw Self.wrongLength }
        bodyStart = bytes.count
        bodyLength = length
    }

    private static var wrongLength: ClientFailure { .badAnswer("a wrong Content-Length") }
    private static var malformedLine: ClientFailure { .badAnswer("a malformed header line") }

    /// The line that begins at `next`, without its end; `next` moves behind that.
    private static func nextLine(in bytes: Span<UInt8>, _ next: inout Int) throws(ClientFailure) -> Range<Int> {
        let start = next
        var end = start
        while bytes[end] != UInt8(ascii: "\r") {
            // Line feeds, NUL and other controls have no place in a head; obs-text above 0x7F is let through.
            guard bytes[end] >= 0x20 || bytes[end] == UInt8(ascii: "\t"), bytes[end] != 0x7F else {
                throw malformedLine
            }
            end += 1
        }
        guard bytes[end + 1] == UInt8(ascii: "\n") else { throw malformedLine }
        next = end + 2
        return start..<end
    }

    /// `HTTP/1.1 200 OK`; the reason phrase may be empty.
    private static func status(_ line: Span<UInt8>) throws(ClientFailure) -> Int {
        guard line.count >= 12, line.extracting(..<7).isEqual(to: "HTTP/1."),
            line[7] == UInt8(ascii: "0") || line[7] == UInt8(ascii: "1"), line[8] == UInt8(ascii: " "),
            let status = line.extracting(9..<12).decimalNumber, (200...599).contains(status),
            line.count == 12 || line[12] == UInt8(ascii: " ")
        else { throw .badAnswer("no HTTP/1.1 status line") }
        return status
    }

    /// The colon behind a header's name, which is a token (RFC 9110 §5.6.2).
    private static func colon(in line: Span<UInt8>) throws(ClientFailure) -> Int {
        for index in line.indices {
            if line[index] == UInt8(ascii: ":"), index > 0 { return index }
            guard line[index].isTokenCharacter else { break }
        }
        throw malformedLine
    }

    /// Digits with blanks around them, at most nine, so that nothing overflows.
    private static func length(_ value: Span<UInt8>) -> Int? {
        var digits = value.indices
        while let first = digits.first, " \t".utf8.contains(value[first]) { digits.removeFirst() }
        while let last = digits.last, " \t".utf8.contains(value[last]) { digits.removeLast() }
        return digits.count < 10 ? value.extracting(digits).decimalNumber : nil
    }
}
