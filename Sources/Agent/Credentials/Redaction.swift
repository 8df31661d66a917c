import Encodings

/// Leaves out of a text what it has of secrets, in whatever form a service may repeat them.
enum Redaction {
    /// The shortest run of bytes that is taken for a part of a secret.
    private static let leastRun = 16

    /// The same with `…` in the place of each run of 16 or more bytes that a secret has too: as it is, escaped for a URI or
    /// for XML, in hexadecimal, or in Base64, whatever stands before it there.
    static func redact(_ text: String, secrets: [[UInt8]]) -> String {
        let bytes = Array(text.utf8)
        let runs = Set(Self.runs(in: bytes))
        // Once for each run, however often the one and the other repeat it: both may come from the same service.
        let shared = secrets.flatMap(forms).reduce(into: Set<ArraySlice<UInt8>>()) { shared, form in
            for run in Self.runs(in: form) where runs.contains(run) { shared.insert(run) }
        }
        var isSecret = [Bool](repeating: false, count: bytes.count)
        for run in Self.runs(in: bytes) where shared.contains(run) {
            for index in run.indices { isSecret[index] = true }
        }
        let kept = bytes.indices.flatMap { index in
            if !isSecret[index] { return [bytes[index]] }
            return index > 0 && isSecret[index - 1] ? [] : Array("…".utf8)
        }
        return String(decoding: kept, as: UTF8.self)
    }

    private static func runs(in bytes: [UInt8]) -> some Sequence<ArraySlice<UInt8>> {
        bytes.indices.dropLast(leastRun - 1).lazy.map { bytes[$0..<$0 + leastRun] }
    }

    private static func forms(of secret: [UInt8]) -> [[UInt8]] {
        let escapes: [UInt8: String] = [
            UInt8(ascii: "&"): "&amp;", UInt8(ascii: "<"): "&lt;", UInt8(ascii: ">"): "&gt;",
            UInt8(ascii: "\""): "&quot;", UInt8(ascii: "'"): "&apos;",
        ]
        let percent = secret.flatMap { $0.isUnreserved ? [$0] : Array("%\(Hexadecimal.encode([$0]))".utf8) }
        return [
            secret, PercentEncoding.encode(secret, plain: \.isUnreserved), percent,
            secret.flatMap { escapes[$0].map { Array($0.utf8) } ?? [$0] }, Array(Hexadecimal.encode(secret).utf8),
            Array(Hexadecimal.encode(secret, .uppercase).utf8),
        ] + (0..<3).map { base64(of: secret, after: $0) }
    }

    /// Without the characters that bytes before or after it have a part in.
    private static func base64(of secret: [UInt8], after count: Int) -> [UInt8] {
        let text = Base64.encode([UInt8](repeating: 0, count: count) + secret).utf8.filter { $0 != UInt8(ascii: "=") }
        return Array(text.dropFirst((count * 8 + 5) / 6).dropLast())
    }
}
