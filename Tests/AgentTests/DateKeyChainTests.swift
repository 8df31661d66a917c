import Encodings
import LockedMemory
import Testing
import TokenService

@testable import Agent

@Suite("The chain of HMACs from a date key on")
struct DateKeyChainTests {
    private static func dateKey(_ hexadecimal: String) throws -> HeldSecret {
        let bytes = try #require(Hexadecimal.decode(hexadecimal.utf8))
        guard var page = SecretBuffer(capacity: 32, isLocked: true), page.insert(bytes.span, at: 0) else {
            throw CancellationError()
        }
        return HeldSecret(page)
    }

    /// AWS General Reference, "Examples of how to derive a signing key for Signature Version 4": the keys of 15 February 2012,
    /// us-east-1, iam.
    @Test(
        "It gives AWS' own example",
        arguments: [
            (["us-east-1"], "69daa0209cd9c5ff5c8ced464a696fd4252e981430b10e3d3fd8e2f197d7a70c"),
            (["us-east-1", "iam"], "f72cfd46f26bc4643f06a11eabb6c0ba18780c19a8da0c31ace671265e3c87fa"),
            (["us-east-1", "iam", "aws4_request"], "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"),
        ])
    func example(texts: [String], expected: String) throws {
        let key = try Self.dateKey("969fbb94feb542b71ede6f87fe4d5fa29c789342b0f407474670f0c2489e0a0d")
        #expect(key.hmacs(texts.map { Array($0.utf8) }).map { Hexadecimal.encode($0) } == expected)
    }

    @Test("No texts give nothing")
    func nothing() throws {
        #expect(try Self.dateKey("00").hmacs([]) == nil)
    }
}
