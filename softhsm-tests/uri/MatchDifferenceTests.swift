import CP11Kit
import Differential
import PKCS11URI
import Testing

@Suite("Our matching beside p11-kit's")
struct MatchDifferenceTests {
    private static let seed: UInt64 = 11
    private static let texts = ["", "a", "A", "ab", "a b", " a", "é", "a;b", "Build HSM", "0123456789abcdef"]

    @Test("10,000 URIs match the same tokens") func tokensMatchAlike() throws {
        print("seed \(Self.seed)")
        var random = SplitMix64(seed: Self.seed)
        var matched = 0
        for _ in 0..<10_000 {
            let token = TokenDescription(
                label: random.text(of: Self.texts), manufacturer: random.text(of: Self.texts),
                model: random.text(of: Self.texts), serial: random.text(of: Self.texts))
            let uri = try PKCS11URI(Self.uri(near: token, using: &random))
            let theirs = P11KitURI(uri.description)?.matches(Self.information(token))
            #expect(uri.matches(LocatedToken(token)) == theirs, "\(uri) and \(token)")
            matched += theirs == true ? 1 : 0
        }
        print("matched: \(matched)")
        #expect((2_000...8_000).contains(matched))
    }

    /// A URI with some fields of `token`, most of them as the token has them.
    private static func uri(near token: TokenDescription, using random: inout SplitMix64) -> String {
        let fields = [
            ("token", token.label), ("manufacturer", token.manufacturer), ("model", token.model),
            ("serial", token.serial),
        ]
        let kept = fields.filter { _ in random.oneIn(2) }.map { name, value in
            let text = random.oneIn(4) ? random.text(of: texts) : value
            let hex = text.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            return name + "=" + hex.joined() + (random.oneIn(8) && text.count < 16 ? "%20" : "")
        }
        return "pkcs11:" + kept.joined(separator: ";")
    }

    /// The token's text as a module gives it: padded with blanks.
    private static func information(_ token: TokenDescription) -> CK_TOKEN_INFO {
        var information = CK_TOKEN_INFO()
        fill(&information.label, token.label)
        fill(&information.manufacturerID, token.manufacturer)
        fill(&information.model, token.model)
        fill(&information.serialNumber, token.serial)
        return information
    }

    private static func fill<Field>(_ field: inout Field, _ text: [UInt8]) {
        unsafe withUnsafeMutableBytes(of: &field) { bytes in
            for index in bytes.indices { unsafe bytes[index] = index < text.count ? text[index] : 0x20 }
        }
    }
}

extension SplitMix64 {
    fileprivate mutating func text(of texts: [String]) -> [UInt8] { Array(pick(texts).utf8) }
}
