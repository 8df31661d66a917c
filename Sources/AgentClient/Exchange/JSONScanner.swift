#if !hasFeature(Embedded)
    import Encodings
#endif

/// Walks once over a JSON text (RFC 8259) and checks all of it, without building a tree and without recursion.
package struct JSONScanner {
    /// How deep arrays and objects may stand in one another.
    static let deepest = 32

    private var index = 0

    /// Checks that `bytes` are one JSON value and nothing more.
    package static func validate(_ bytes: Span<UInt8>) throws(JSONFault) {
        var scanner = JSONScanner()
        try scanner.skipValue(bytes)
        try scanner.expectEnd(bytes)
    }

    /// The member `name` of the object that `bytes` are; the range includes a string's quotes.
    ///
    /// - Throws: `JSONFault` when the text is no valid object, or has that member twice.
    package static func member(_ name: StaticString, of bytes: Span<UInt8>) throws(JSONFault) -> Range<Int>? {
        var scanner = JSONScanner()
        var found: Range<Int>?
        try scanner.expect(UInt8(ascii: "{"), bytes)
        if scanner.peek(bytes) == UInt8(ascii: "}") {
            scanner.index += 1
        } else {
            var more = true
            while more {
                scanner.skipSpace(bytes)
                let key = try scanner.skipString(bytes)
                try scanner.expect(UInt8(ascii: ":"), bytes)
                scanner.skipSpace(bytes)
                let start = scanner.index
                try scanner.skipValue(bytes)
                if JSONString.matches(bytes, key, name) {
                    guard found == nil else { throw JSONFault(offset: key.lowerBound) }
                    found = start..<scanner.index
                }
                more = scanner.peek(bytes) == UInt8(ascii: ",")
                if more { scanner.index += 1 } else { try scanner.expect(UInt8(ascii: "}"), bytes) }
            }
        }
        try scanner.expectEnd(bytes)
        return found
    }

    private mutating func expectEnd(_ bytes: Span<UInt8>) throws(JSONFault) {
        skipSpace(bytes)
        guard index == bytes.count else { throw fault }
    }

    private var fault: JSONFault { JSONFault(offset: index) }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): index += 1
            default: return
            }
        }
    }

    /// The next byte that is no space; 0, which JSON has no use for, at the end.
    private mutating func peek(_ bytes: Span<UInt8>) -> UInt8 {
        skipSpace(bytes)
        return index < bytes.count ? bytes[index] : 0
    }

    private mutating func expect(_ byte: UInt8, _ bytes: Span<UInt8>) throws(JSONFault) {
        guard peek(bytes) == byte else { throw fault }
        index += 1
    }

    private mutating func skipValue(_ bytes: Span<UInt8>) throws(JSONFault) {
        var open = OpenContainers()
        repeat {
            switch peek(bytes) {
            case UInt8(ascii: "{"):
                index += 1
                guard open.push(isObject: true) else { throw fault }
                if peek(bytes) != UInt8(ascii: "}") {
                    try skipName(bytes)
                    continue
                }
            case UInt8(ascii: "["):
                index += 1
                guard open.push(isObject: false) else { throw fault }
                if peek(bytes) != UInt8(ascii: "]") { continue }
            case UInt8(ascii: "\""): _ = try skipString(bytes)
            case UInt8(ascii: "t"): try skipWord("true", bytes)
            case UInt8(ascii: "f"): try skipWord("false", bytes)
            case UInt8(ascii: "n"): try skipWord("null", bytes)
            default: try skipNumber(bytes)
            }
            try finishContainers(&open, bytes)
        } while open.depth > 0
    }

    /// Behind a value: closes what ends here, and stops where another value must come, or where all is closed.
    private mutating func finishContainers(_ open: inout OpenContainers, _ bytes: Span<UInt8>) throws(JSONFault) {
        while open.depth > 0 {
            switch peek(bytes) {
            // An empty container has no value before its end, and a comma cannot follow its bracket: see `skipValue`.
            case UInt8(ascii: ","):
                index += 1
                if open.isObject { try skipName(bytes) }
                return
            case UInt8(ascii: "}") where open.isObject, UInt8(ascii: "]") where !open.isObject:
                index += 1
                open.pop()
            default: throw fault
            }
        }
    }

    private mutating func skipName(_ bytes: Span<UInt8>) throws(JSONFault) {
        skipSpace(bytes)
        _ = try skipString(bytes)
        try expect(UInt8(ascii: ":"), bytes)
    }

    private mutating func skipWord(_ word: StaticString, _ bytes: Span<UInt8>) throws(JSONFault) {
        for offset in 0..<word.utf8CodeUnitCount {
            guard index < bytes.count, unsafe bytes[index] == word.utf8Start[offset] else { throw fault }
            index += 1
        }
    }

    /// The range of the string that starts here, with its quotes.
    private mutating func skipString(_ bytes: Span<UInt8>) throws(JSONFault) -> Range<Int> {
        let start = index
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw fault }
        index += 1
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return start..<index
            case UInt8(ascii: "\\"): try skipEscape(bytes)
            case 0..<0x20: throw fault
            default: break
            }
        }
        throw fault
    }

    private mutating func skipEscape(_ bytes: Span<UInt8>) throws(JSONFault) {
        guard index < bytes.count else { throw fault }
        let kind = bytes[index]
        index += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return
        case UInt8(ascii: "u"):
            for _ in 0..<4 {
                guard index < bytes.count, bytes[index].hexadecimalDigit != nil else { throw fault }
                index += 1
            }
        default: throw fault
        }
    }

    private mutating func skipNumber(_ bytes: Span<UInt8>) throws(JSONFault) {
        if index < bytes.count, bytes[index] == UInt8(ascii: "-") { index += 1 }
        let zero = index < bytes.count && bytes[index] == UInt8(ascii: "0")
        guard try skipDigits(bytes) == 1 || !zero else { throw fault }
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            _ = try skipDigits(bytes)
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
                index += 1
            }
            _ = try skipDigits(bytes)
        }
    }

    private mutating func skipDigits(_ bytes: Span<UInt8>) throws(JSONFault) -> Int {
        let start = index
        while index < bytes.count, bytes[index].decimalDigit != nil { index += 1 }
        guard index > start else { throw fault }
        return index - start
    }
}

/// Bytes that are no JSON, or not the JSON that was asked for.
package struct JSONFault: Error, Equatable {
    /// Where, in bytes from the start.
    package let offset: Int
}

/// Which arrays and objects are open, innermost in the lowest bit.
private struct OpenContainers {
    private(set) var depth = 0
    private var objects: UInt32 = 0

    var isObject: Bool { objects & 1 == 1 }

    mutating func push(isObject: Bool) -> Bool {
        guard depth < JSONScanner.deepest else { return false }
        depth += 1
        objects = objects << 1 | (isObject ? 1 : 0)
        return true
    }

    mutating func pop() {
        depth -= 1
        objects >>= 1
    }
}
