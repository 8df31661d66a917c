import COpenSSL

/// A virtual MFA device: codes of six digits by time (RFC 6238), with the parameters that IAM has for them.
struct MFADevice: Sendable {
    let serial: String
    let seed: [UInt8]

    private static let stepSeconds: Int64 = 30

    /// The step that a code is for; nil for a wrong one. One step to either side is taken for a clock that is off.
    func step(of code: String, at now: UTCTime) -> Int64? {
        let current = now.secondsSince1970 / Self.stepSeconds
        return (current - 1...current + 1).first { self.code(of: $0) == code }
    }

    /// RFC 4226 §5.3, with the number of the step as the counter.
    func code(of step: Int64) -> String {
        let counter = (0..<8).map { UInt8(truncatingIfNeeded: step >> (56 - 8 * $0)) }
        let hash = Digest.hmac(key: seed, counter, hash: "SHA1", length: 20)
        let offset = Int(hash[19] & 15)
        let number = hash[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let digits = String(number % 1_000_000)
        return String(repeating: "0", count: 6 - digits.utf8.count) + digits
    }

    /// Base32 (RFC 4648 §6), as seeds are given to people, without padding.
    static func seed(base32 text: String) -> [UInt8]? {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        var bytes: [UInt8] = []
        var (bits, count) = (UInt32(0), 0)
        for character in text.utf8 {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            bits = bits << 5 | UInt32(value)
            count += 5
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes.isEmpty ? nil : bytes
    }
}

/// The steps whose codes were taken: each counts once.
struct UsedCodes: Sendable {
    private var steps: [String: Set<Int64>] = [:]

    /// - Returns: False where it was taken before.
    mutating func take(_ step: Int64, of device: MFADevice) -> Bool {
        steps[device.serial, default: []].insert(step).inserted
    }
}
