/// Text from elsewhere, made harmless: it moves no cursor, ends no line, turns no text around it, and hides nothing.
///
/// The functions differ in how they replace a character that is not harmless. Bytes that are no UTF-8 are to be decoded
/// first, which makes U+FFFD of them.
package enum PlainText {
    /// For a terminal, and for names in messages: a `?` for each character, so that columns stay where they are.
    package static func terminal(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        result.append(contentsOf: text.unicodeScalars.lazy.map { isHarmless($0) ? $0 : "?" })
        return String(result)
    }

    /// For a prompt, which another program shows in a character set that is not known: a `?` for each byte that is not
    /// printable ASCII.
    package static func prompt(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.map { isPrintableASCII($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    /// For a log, and for the content of a file: `\u{202e}` for U+202E, so that the reader sees which character it was.
    ///
    /// - Parameter longest: In characters of `text`; `…` stands for the rest.
    package static func log(_ text: String, longest: Int) -> String {
        if text.utf8.count <= longest, text.utf8.allSatisfy({ isPrintableASCII($0) }) { return text }
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < longest else { return result + "…" }
            count += 1
            if isHarmless(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return result
    }

    /// For a sentence of another program within one of ours: one space for each run of such characters and of spaces.
    ///
    /// - Parameter longest: In characters of the result; `…` stands for the rest.
    package static func message(_ text: String, longest: Int) -> String {
        var result = String.UnicodeScalarView()
        var count = 0
        var isAfterGap = false
        for scalar in text.unicodeScalars {
            guard isHarmless(scalar), !isSpace(scalar) else {
                isAfterGap = count > 0
                continue
            }
            guard count + (isAfterGap ? 1 : 0) < longest else {
                result.append("…")
                break
            }
            if isAfterGap {
                result.append(" ")
                count += 1
                isAfterGap = false
            }
            result.append(scalar)
            count += 1
        }
        return String(result)
    }

    /// The beginning of `text` that fits into so many bytes, in whole characters, with `...` for the rest.
    package static func cut(_ text: String, toBytes limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var bytes = Array(text.utf8.prefix(limit - 3))
        while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
        if let last = bytes.last, last >= 0xC0 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self) + "..."
    }

    /// Neither a control character, nor a line separator, nor invisible or direction-changing (UAX #9, UTR #36), nor of
    /// private use. Characters that Unicode has not assigned are shown as a box, except in ranges reserved for more of
    /// these.
    ///
    /// A list, because Unicode's tables are not linked into the thin client: the general categories Cc, Cf, Zl, Zp and Co, and
    /// those of Default_Ignorable_Code_Point that are no marks.
    package static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0xAD, 0x600...0x605, 0x61C, 0x6DD, 0x70F, 0x890...0x891, 0x8E2, 0x115F...0x1160,
            0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0x3164, 0xE000...0xF8FF, 0xFEFF, 0xFFA0,
            0xFFF0...0xFFFB, 0x110BD, 0x110CD, 0x13430...0x1343F, 0x1BCA0...0x1BCA3, 0x1D173...0x1D17A,
            0xE0000...0xE00FF, 0xE01F0...0xE0FFF, 0xF0000...0x10FFFF:
            false
        default: true
        }
    }

    /// How many columns of a terminal they take: East Asian wide characters take two (UAX #11), accents none.
    package static func columns(of scalars: some Sequence<Unicode.Scalar>) -> Int {
        scalars.reduce(0) { sum, scalar in
            switch scalar.value {
            case 0x0300...0x036F: sum
            case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
                0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
                sum + 2
            default: sum + 1
            }
        }
    }

    private static func isPrintableASCII(_ byte: UInt8) -> Bool { (0x20...0x7E).contains(byte) }

    /// Of the general category Zs.
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20, 0xA0, 0x1680, 0x2000...0x200A, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }
}

extension String {
    /// The text in quotation marks, as a message shows what a file holds.
    package var quoted: String { "\"" + PlainText.log(self, longest: 80) + "\"" }
}
