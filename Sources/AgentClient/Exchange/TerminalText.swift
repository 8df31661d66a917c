/// Text from elsewhere, made fit for a terminal and for one line of a log.
package enum TerminalText {
    /// `text` with a `?` for each character that steers a terminal or reorders what stands around it.
    package static func safe(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if steers(scalar.value) { result += "?" } else { result.unicodeScalars.append(scalar) }
        }
        return result
    }

    /// The beginning of `text` that fits into `limit` bytes, in whole characters.
    static func cut(_ text: String, toBytes limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var bytes = Array(text.utf8.prefix(limit - 3))
        while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
        if let last = bytes.last, last >= 0xC0 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self) + "..."
    }

    /// C0 and C1 controls, line separators, and what Unicode's UAX #9 and UTR #36 warn of: invisible and
    /// direction-changing characters.
    private static func steers(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0...0x1F, 0x7F...0x9F, 0xAD, 0x061C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
            0xFFF9...0xFFFB, 0xE0000...0xE007F:
            true
        default: false
        }
    }
}
