#if !hasFeature(Embedded)
    import Encodings
#endif

/// The name of a profile, as it may stand in a request's path.
package struct ProfileArgument {
    package let bytes: [UInt8]

    /// 1 to 64 of `A-Z a-z 0-9 _ . -`, not starting with `.` or `-`; nil for anything else.
    package init?(_ bytes: [UInt8]) {
        guard (1...64).contains(bytes.count), bytes[0] != UInt8(ascii: "."), bytes[0] != UInt8(ascii: "-") else {
            return nil
        }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): continue
            default: guard byte.isAlphanumeric else { return nil }
            }
        }
        self.bytes = bytes
    }

    /// - Throws: Exit code 64.
    package static func checked(_ name: String) throws(ClientFailure) -> ProfileArgument {
        guard let profile = ProfileArgument(Array(name.utf8)) else { throw invalid(Array(name.utf8)) }
        return profile
    }

    static func invalid(_ bytes: [UInt8]) -> ClientFailure {
        ClientFailure(
            .usage, "'\(String(decoding: bytes, as: UTF8.self))' cannot be the name of a profile",
            hint: "use 1 to 64 letters, digits, '_', '.' and '-', with no '.' or '-' in front")
    }
}
