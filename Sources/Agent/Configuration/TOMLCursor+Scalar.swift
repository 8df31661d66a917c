import Encodings

// Integers and booleans (TOML 1.0.0, "Integer" and "Boolean").
extension TOMLCursor {
    /// The value that begins here and is neither text, array nor table.
    mutating func scalar() throws(TOMLFault) -> TOMLNode.Value {
        let token = take { !$0.isControl && !" \t,]}#".utf8.contains($0) }
        if token.isEmpty { throw fault("a value is missing; give one, or remove the key") }
        if token.elementsEqual("true".utf8) { return .boolean(true) }
        if token.elementsEqual("false".utf8) { return .boolean(false) }
        if let integer = try integer(token) { return .integer(integer) }
        throw fault("a value that no setting takes; give text in quotation marks, an integer, true or false")
    }

    /// Nil for what is no integer.
    private func integer(_ token: ArraySlice<UInt8>) throws(TOMLFault) -> Int? {
        let hasSign = token.first == UInt8(ascii: "+") || token.first == UInt8(ascii: "-")
        let unsigned = hasSign ? token.dropFirst() : token
        let (prefix, radix) = Self.prefixes.first { unsigned.starts(with: $0.text.utf8) } ?? ("", 10)
        let digits = unsigned.dropFirst(prefix.utf8.count)
        if hasSign && radix != 10 { return nil }
        if radix == 10, digits.count > 1, digits.first == UInt8(ascii: "0") { return nil }
        let groups = digits.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
        let isDigit = { (byte: UInt8) in byte.hexadecimalDigit.map { $0 < radix } ?? false }
        guard groups.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isDigit) }) else { return nil }
        let sign = token.first == UInt8(ascii: "-") ? "-" : ""
        guard let integer = Int(sign + String(decoding: groups.joined(), as: UTF8.self), radix: radix) else {
            throw fault("an integer that 64 bits do not hold; give a smaller one")
        }
        return integer
    }

    private static let prefixes: [(text: String, radix: Int)] = [("0x", 16), ("0o", 8), ("0b", 2)]
}
