// Classes of bytes: ASCII alone, whatever the locale.
extension UInt8 {
    @inlinable package var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    @inlinable package var isUppercase: Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }

    @inlinable package var isLowercase: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }

    @inlinable package var isAlphanumeric: Bool { isDigit || isUppercase || isLowercase }

    /// `!` to `~`: prints, and is not a space.
    @inlinable package var isVisible: Bool { (UInt8(ascii: "!")...UInt8(ascii: "~")).contains(self) }

    /// `unreserved` of RFC 3986 §2.3.
    @inlinable package var isUnreserved: Bool {
        switch Unicode.Scalar(self) {
        case "-", ".", "_", "~": true
        default: isAlphanumeric
        }
    }

    /// `tchar` of RFC 9110 §5.6.2, which the names of methods and header fields have.
    @inlinable package var isTokenCharacter: Bool {
        switch Unicode.Scalar(self) {
        case "!", "#", "$", "%", "&", "'", "*", "+", "-", ".", "^", "_", "`", "|", "~": true
        default: isAlphanumeric
        }
    }

    @inlinable package var lowercased: UInt8 { isUppercase ? self | 0x20 : self }

    /// The value of `0` to `9`.
    @inlinable package var decimalDigit: Int? { isDigit ? Int(self - UInt8(ascii: "0")) : nil }

    /// The value of `0` to `9`, `a` to `f` and `A` to `F`.
    @inlinable package var hexadecimalDigit: UInt8? {
        switch Unicode.Scalar(self) {
        case "0"..."9": self - UInt8(ascii: "0")
        case "a"..."f": self - UInt8(ascii: "a") + 10
        case "A"..."F": self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Span<UInt8> {
    /// The number that one to ten decimal digits write; nil for anything else.
    package var decimalNumber: Int? {
        guard (1...10).contains(count) else { return nil }
        var number = 0
        for index in indices {
            guard let digit = self[index].decimalDigit else { return nil }
            number = number * 10 + digit
        }
        return number
    }

    /// Whether these are the bytes of `text`. Embedded Swift compares no strings without Unicode's tables.
    ///
    /// - Parameter ignoringCase: Capitals count as small letters here; `text` has none.
    package func isEqual(to text: StaticString, ignoringCase: Bool = false) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in indices {
            let byte = ignoringCase ? self[index].lowercased : self[index]
            guard unsafe byte == text.utf8Start[index] else { return false }
        }
        return true
    }
}
