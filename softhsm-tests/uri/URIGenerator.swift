import Differential

/// Makes URIs: valid ones by the grammar of RFC 7512, and damaged ones from them.
struct URIGenerator {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    private static let widths = [
        "token": 32, "manufacturer": 32, "serial": 16, "model": 16, "library-manufacturer": 32,
        "library-description": 32, "slot-description": 64, "slot-manufacturer": 32,
    ]
    private static let pathNames = [
        "token", "manufacturer", "serial", "model", "library-manufacturer", "library-version", "library-description",
        "object", "type", "id", "slot-description", "slot-manufacturer", "slot-id",
    ]
    private static let queryNames = ["pin-source", "module-name", "module-path"]
    private static let otherNames = [
        "", "x", "vendor-aaa", "Token", "objecttype", "object-type", "pinfile", "pin-value", "PIN-VALUE", "to%6Ben",
        "slot_id", " token", "tok.en",
    ]
    private static let plain = Array("abcXYZ019-._~:[]@!$'()*+,=".utf8)
    private static let noise = [
        "%", "%%", "%4", "%zz", "%00", ";", "&", "?", "=", "/", "|", "#", " ", "\n", "\t", "\"", "é", "\u{1}", ":",
    ]
    private static let oddValues = [
        "type": ["", "Cert", "secretkey", "%63ert", "certificate"],
        "slot-id": ["", "-1", "1x", "9223372036854775808", "18446744073709551616", "18446744073709551615"],
        "library-version": ["", ".", "1.", ".1", "255", "1.255", "1.2.3", "4294967297", "256"],
    ]

    /// A URI that the grammar allows. One in some twenty has a value longer than its field.
    mutating func valid() -> String {
        var random = random
        let path = Self.pathNames.shuffled(using: &random).prefix(Int.random(in: 0...5, using: &random))
        let query = Self.queryNames.shuffled(using: &random).prefix(random.pick([0, 0, 0, 1, 1, 2, 3]))
        self.random = random
        var text = self.random.oneIn(20) ? "PkCs11:" : "pkcs11:"
        text += path.map { attribute($0, extra: "&") }.joined(separator: ";")
        if !query.isEmpty || self.random.oneIn(20) { text += "?" }
        return text + query.map { attribute($0, extra: "/?|") }.joined(separator: "&")
    }

    /// A valid URI with one to three faults, of which some are none.
    mutating func damaged() -> String {
        var text = valid()
        for _ in 0..<random.pick([1, 1, 1, 2, 3]) { text = damage(text) }
        return text
    }

    private mutating func attribute(_ name: String, extra: String) -> String {
        let value =
            switch name {
            case "type": random.pick(["public", "private", "cert", "secret-key", "data"])
            case "slot-id": "\(Int.random(in: 0...random.pick([9, 0xFFFF, Int.max]), using: &random))"
            case "library-version":
                "\(Int.random(in: 0...254, using: &random))"
                    + (random.oneIn(3) ? "" : ".\(Int.random(in: 0...254, using: &random))")
            default: encoded(bytes(width: Self.widths[name]), plain: Self.plain + Array(extra.utf8), name: name)
            }
        return "\(name)=\(value)"
    }

    private mutating func bytes(width: Int?) -> [UInt8] {
        let limit = width ?? 1024
        let count =
            random.oneIn(30) ? limit + random.pick([-1, 0, 0, 1]) : Int.random(in: 0...min(limit, 12), using: &random)
        var bytes = (0..<count).map { _ in
            random.oneIn(4) ? UInt8.random(in: 0...255, using: &random) : random.pick(Self.plain)
        }
        if random.oneIn(10), count > 0 { bytes[count - 1] = random.pick([0x20, 0]) }
        return bytes
    }

    private mutating func encoded(_ bytes: [UInt8], plain: [UInt8], name: String) -> String {
        var text = ""
        // A NUL would end these in C; damage puts it in.
        for byte in bytes where byte != 0 || !Self.queryNames.contains(name) {
            if plain.contains(byte), !random.oneIn(5) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: random.oneIn(2))
            }
        }
        return text
    }

    private mutating func damage(_ text: String) -> String {
        var characters = Array(text.unicodeScalars)
        let index = Int.random(in: 0..<max(characters.count, 1), using: &random)
        let head = String(String.UnicodeScalarView(characters.prefix(index)))
        let tail = String(String.UnicodeScalarView(characters.dropFirst(index)))
        let separator = text.contains("?") ? "&" : random.oneIn(2) ? "?" : text.hasSuffix(":") ? "" : ";"
        switch Int.random(in: 0..<12, using: &random) {
        case 0:
            guard !characters.isEmpty else { return text }
            characters.remove(at: index)
            return String(String.UnicodeScalarView(characters))
        case 1, 2: return head + random.pick(Self.noise) + tail
        case 3: return head + random.pick(Self.noise) + tail.dropFirst()
        case 4: return head
        case 5, 6: return text + random.pick(["%", "%4", "%g1", "%1g", "%%41"])
        case 7: return text + separator + random.pick(Self.otherNames) + "=" + random.pick(["", "1", "cert"])
        case 8: return text + separator + attribute(random.pick(Self.pathNames + Self.queryNames), extra: "")
        case 9, 10:
            guard let (name, values) = Self.oddValues.sorted(by: { $0.key < $1.key }).randomElement(using: &random)
            else { return text }
            return "pkcs11:" + name + "=" + random.pick(values) + random.pick(["", ";token=a", "?module-name=b"])
        default: return random.pick(["pkcs12:", "pkcs11", "", "x", "PKCS11:"]) + text.dropFirst(7)
        }
    }
}
