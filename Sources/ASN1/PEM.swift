import Encodings

/// Textual encoding (RFC 7468).
package enum PEM {
    /// - Parameter label: Such as `CERTIFICATE`.
    /// - Returns: Lines of 64 characters between the boundaries, each with its end.
    package static func encode(_ der: [UInt8], label: String) -> String {
        let text = Array(Base64.encode(der).utf8)
        let lines = stride(from: 0, to: text.count, by: 64).map { start in
            String(decoding: text[start..<min(start + 64, text.count)], as: UTF8.self) + "\n"
        }
        return "-----BEGIN \(label)-----\n\(lines.joined())-----END \(label)-----\n"
    }
}
