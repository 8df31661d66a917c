import Testing

@testable import PKCS11

@Suite("What return codes say")
struct MeaningTests {
    /// The codes by their numbers in PKCS#11 2.40, pkcs11t.h.
    @Test(
        "Codes that call for the same reaction have one meaning",
        arguments: [
            ([0x32, 0xE0, 0xE1, 0x3], .tokenGone), ([0x82, 0x60, 0x65], .staleHandle),
            ([0xB3, 0xB0, 0x90, 0x91], .staleSession), ([0x2, 0x31], .outOfMemory),
            (
                [
                    0x5, 0x30, 0x190, 0xA, 0x9, 0x1A0, 0x1A1, 0x1C2, 0x1C1, 0xB5, 0xE2, 0xB4, 0xB6, 0xB7, 0xB8, 0x104,
                    0x105,
                ], .brokenModule
            ),
            ([0x50, 0x200, 0x1], .personDeclined), ([0xA0, 0xA1, 0xA2], .wrongPIN),
            ([0x70, 0x71, 0x68, 0x63, 0x62, 0x140, 0x130, 0x54, 0x20, 0x21], .refusedMechanism),
            ([0x101], .missingLogin), ([0xB1], .noSessionLeft), ([0x1B], .forbidden),
        ] as [([UInt], ReturnValue.Meaning)])
    func meanings(codes: [UInt], meaning: ReturnValue.Meaning) {
        for code in codes { #expect(ReturnValue(rawValue: code).meaning == meaning, "\(ReturnValue(rawValue: code))") }
    }

    @Test("A locked and an expired PIN were not judged, and a vendor's code says nothing that is known")
    func unknown() {
        for code in [0xA3, 0xA4, 0x100, 0x6, 0x7, 0x777, 0x8000_0001, .max] as [UInt] {
            #expect(ReturnValue(rawValue: code).meaning == .unknown)
        }
    }
}
