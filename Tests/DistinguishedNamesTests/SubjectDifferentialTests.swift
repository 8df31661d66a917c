import COpenSSL
import Differential
import Testing

@testable import DistinguishedNames

/// Names that OpenSSL builds of the same types and values, byte for byte.
@Suite struct SubjectDifferentialTests {
    /// Without telephoneNumber, a PrintableString by X.520, for which OpenSSL's table has no line.
    private static let types = [
        "CN", "L", "ST", "O", "OU", "C", "street", "DC", "UID", "serialNumber", "title", "description",
        "businessCategory", "postalCode", "name", "SN", "GN", "initials", "generationQualifier", "dnQualifier",
        "pseudonym",
        "organizationIdentifier", "emailAddress", "1.2.3.4", "2.25.329800735698586629295641978511506172918",
    ]
    private static let printable: Set = ["C", "serialNumber", "dnQualifier"]
    private static let ia5: Set = ["DC", "emailAddress"]

    private struct Attribute {
        let type: String
        let value: String
    }

    @Test("Subjects at random have the encoding that OpenSSL gives them", arguments: [1, 2, 3, 4])
    func subjects(_ seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        for _ in 0..<1500 {
            let parts = Self.name(using: &generator)
            let text = Self.text(of: parts, using: &generator)
            let expected = try #require(Self.openSSL(parts), "\(text)")
            #expect(try SubjectName(text).der == expected, "\(text)")
        }
    }

    private static func name(using generator: inout SplitMix64) -> [[Attribute]] {
        (0..<Int.random(in: 1...5, using: &generator)).map { _ in
            let count = generator.oneIn(4) ? Int.random(in: 2...3, using: &generator) : 1
            return types.shuffled(using: &generator).prefix(count).map { type in
                Attribute(type: type, value: value(of: type, using: &generator))
            }
        }
    }

    private static func value(of type: String, using generator: inout SplitMix64) -> String {
        let ascii = Array("ab Z9,+\"\\#;<>=.-'()/:?@_*&".unicodeScalars)
        let allowed =
            printable.contains(type)
            ? Array("ab Z9+,-./:=?'()".unicodeScalars)
            : ia5.contains(type) ? ascii : ascii + Array("äß語Ω🔑".unicodeScalars)
        let count = type == "C" ? 2 : Int.random(in: 1...12, using: &generator)
        var value = String.UnicodeScalarView()
        for _ in 0..<count { value.append(generator.pick(allowed)) }
        return String(value)
    }

    /// RFC 4514 §2.4 and §3, with freedoms taken at random.
    private static func text(of parts: [[Attribute]], using generator: inout SplitMix64) -> String {
        parts.map { part in
            part.map { attribute in
                let space = generator.oneIn(6) ? " " : ""
                let type = ["GN", "SN"].contains(attribute.type) ? attribute.type.lowercased() : attribute.type
                return space + (generator.oneIn(3) ? type.uppercased() : type) + space + "=" + space
                    + escaped(attribute.value, using: &generator) + space
            }.joined(separator: "+")
        }.joined(separator: generator.oneIn(8) ? ";" : ",")
    }

    private static func escaped(_ value: String, using generator: inout SplitMix64) -> String {
        let bytes = Array(value.utf8)
        if generator.oneIn(10) {
            let digits = bytes.map { hexadecimal($0) }.joined()
            return (0..<bytes.count).map { "\\" + digits.dropFirst(2 * $0).prefix(2) }.joined()
        }
        let special = Set(",+\"\\;<>".unicodeScalars)
        let scalars = Array(value.unicodeScalars)
        return scalars.enumerated().map { index, scalar in
            let isEnd = index == 0 || index == scalars.count - 1
            let mustEscape = special.contains(scalar) || isEnd && scalar == " " || index == 0 && scalar == "#"
            if mustEscape { return "\\\(scalar)" }
            return scalar == "=" && generator.oneIn(2) ? "\\=" : String(scalar)
        }.joined()
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }

    /// The last relative name of the text is the first of the name (RFC 4514 §2.1).
    private static func openSSL(_ parts: [[Attribute]]) -> [UInt8]? {
        let name = unsafe X509_NAME_new()
        defer { unsafe X509_NAME_free(name) }
        for part in parts.reversed() {
            for (index, attribute) in part.enumerated() {
                let object = unsafe OBJ_txt2obj(attribute.type, 0)
                defer { unsafe ASN1_OBJECT_free(object) }
                let value = Array(attribute.value.utf8)
                let added = unsafe X509_NAME_add_entry_by_OBJ(
                    name, object, MBSTRING_FLAG | 0, value, Int32(value.count), -1, index == 0 ? 0 : -1)
                guard added == 1 else { return nil }
            }
        }
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_X509_NAME(name, &encoded)
        defer { unsafe tokenward_OPENSSL_free(encoded) }
        guard count > 0 else { return nil }
        return unsafe [UInt8](UnsafeBufferPointer(start: encoded, count: Int(count)))
    }
}
