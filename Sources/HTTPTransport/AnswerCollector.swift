import HeaderFields

/// Puts an answer together from the pieces that libcurl gives, and stops it at the limits.
struct AnswerCollector {
    private(set) var status = 0
    private(set) var headers: [HeaderField] = []
    private(set) var body: [UInt8] = []
    /// Set once an input was refused.
    private(set) var failure: TransportError?

    private let limits: HTTPLimits
    private var headerBytes = 0
    private var interimAnswers = 0
    /// The blank line after the final status's headers has come; later lines are trailers.
    private(set) var hasHeaders = false

    init(limits: HTTPLimits) { self.limits = limits }

    /// Takes a status line, a header line or the blank line, with its line end.
    ///
    /// - Returns: Whether to go on.
    mutating func take(headerLine line: [UInt8]) -> Bool {
        headerBytes += line.count
        guard headerBytes <= limits.headerBytes else { return refuse(.tooLarge(.headers)) }
        if hasHeaders { return true }
        let content = line.last == 0x0A ? line.dropLast(line.suffix(2).first == 0x0D ? 2 : 1) : line[...]
        if content.isEmpty {
            hasHeaders = status >= 200
            return true
        }
        return content.starts(with: "HTTP/".utf8) ? begin(content) : add(content)
    }

    /// - Returns: Whether to go on.
    mutating func take(body bytes: [UInt8]) -> Bool {
        guard body.count + bytes.count <= limits.bodyBytes else { return refuse(.tooLarge(.body)) }
        body += bytes
        return true
    }

    private mutating func begin(_ statusLine: ArraySlice<UInt8>) -> Bool {
        let parts = statusLine.split(separator: 0x20, maxSplits: 2)
        guard parts.count >= 2, parts[1].count == 3, let code = Int(String(decoding: parts[1], as: UTF8.self)),
            (100...999).contains(code)
        else { return refuse(.protocolViolation("its status line has no status")) }
        status = code
        headers = []
        if code < 200 { interimAnswers += 1 }
        guard interimAnswers <= limits.interimAnswers else {
            return refuse(.protocolViolation("more than \(limits.interimAnswers) interim answers came first"))
        }
        return true
    }

    private mutating func add(_ line: ArraySlice<UInt8>) -> Bool {
        guard let colon = line.firstIndex(of: 0x3A), colon > line.startIndex,
            line[..<colon].allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            line.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 })
        else { return refuse(.protocolViolation("a header line is malformed")) }
        let name = String(decoding: line[..<colon], as: UTF8.self)
        let text = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
        let end = text.lastIndex { $0 != 0x20 && $0 != 0x09 }.map { $0 + 1 } ?? text.startIndex
        let value = String(decoding: text[..<end], as: UTF8.self)
        switch (name.lowercased(), value.lowercased()) {
        case ("content-encoding", "identity"), ("transfer-encoding", "chunked"), ("transfer-encoding", "identity"):
            break
        case ("content-encoding", _), ("transfer-encoding", _):
            // A few bytes could unfold to gigabytes, and we asked for none of it.
            return refuse(.protocolViolation("it is compressed, which was not asked for"))
        case ("content-length", _) where headers.contains { $0.name.lowercased() == "content-length" }:
            return refuse(.protocolViolation("it has two lengths"))
        default: break
        }
        headers.append(HeaderField(name: name, value: value))
        return true
    }

    private mutating func refuse(_ error: TransportError) -> Bool {
        if failure == nil { failure = error }
        return false
    }
}
