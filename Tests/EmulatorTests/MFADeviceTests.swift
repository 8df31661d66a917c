import Testing

@testable import Emulator

@Suite("MFA devices")
struct MFADeviceTests {
    private let device = MFADevice(serial: "GAHT12345678", seed: Array("12345678901234567890".utf8))

    /// RFC 6238 appendix B, SHA-1, the last six of its eight digits.
    @Test(
        "The vectors of RFC 6238 come out",
        arguments: [
            (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
            (2_000_000_000, "279037"), (20_000_000_000, "353130"),
        ])
    func vectors(seconds: Int64, code: String) {
        #expect(device.step(of: code, at: UTCTime(secondsSince1970: seconds)) == seconds / 30)
    }

    @Test("A code is good for one step to either side, and once")
    func steps() {
        for (seconds, step) in [(29, nil), (30, 2), (119, 2), (120, nil)] as [(Int64, Int64?)] {
            let found = device.step(of: device.code(of: 2), at: UTCTime(secondsSince1970: seconds))
            #expect(found == step, "\(seconds)")
        }
        var used = UsedCodes()
        let taken = [used.take(1, of: device), used.take(1, of: device), used.take(2, of: device)]
        #expect(taken == [true, false, true])
    }

    /// RFC 4648 §10.
    @Test("Seeds are base32", arguments: [("MZXW6YTBOI", "foobar"), ("MZXW6", "foo")])
    func seed(text: String, bytes: String) {
        #expect(MFADevice.seed(base32: text) == Array(bytes.utf8))
        #expect(MFADevice.seed(base32: "MZXW6!") == nil)
        #expect(MFADevice.seed(base32: "") == nil)
    }
}
