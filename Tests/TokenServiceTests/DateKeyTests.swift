import Glibc
import LockedMemory
import PKCS11URI
import Testing

@testable import TokenService

@Suite("The date key, as it is asked for and as it comes")
struct DateKeyTests {
    /// Bytes that are no text and no PIN.
    private static func secret(_ bytes: [UInt8]) throws -> HeldSecret {
        guard var page = SecretBuffer(capacity: max(1, bytes.count), isLocked: true), page.insert(bytes.span, at: 0)
        else { throw WireError.tooLong }
        return HeldSecret(page)
    }

    private static func bytes(of secret: HeldSecret) -> [UInt8] {
        secret.withBytes { bytes in bytes.indices.map { bytes[$0] } }
    }

    @Test(
        "A day is eight digits of this millennium that can be one",
        arguments: [
            "20261127", "20000101", "29991231",
        ])
    func day(text: String) {
        #expect(SigningDay(text.utf8)?.digits == Array(text.utf8))
    }

    @Test(
        "Other bytes are no day, whatever their length",
        arguments: [
            "", "2026112", "202611270", "20261327", "20260027", "20261100", "20261132", "2026112a", "19991231",
            "AWS4AWS4",
            "20261127\n",
        ])
    func noDay(text: String) throws {
        #expect(SigningDay(text.utf8) == nil)
        let day = try #require(SigningDay("20261127".utf8))
        let body = Request.dateKey(
            DateKeyRequest(token: Samples.token, keyID: nil, keyLabel: nil, day: day)
        ).body
        // The day is the last field: a length, and the digits.
        let count = UInt8(text.utf8.count)
        let forged = Array(body.dropLast(12)) + [0, 0, 0, count] + Array(text.utf8)
        #expect(throws: WireError.self) { try Request(kind: 6, body: forged) }
    }

    @Test("A date key is the 32 bytes of a frame's secret, and no other reply has one")
    func reply() throws {
        let key = try Self.secret((0..<32).map { 0xE0 | $0 })
        #expect(try Reply(kind: 135, body: [], secret: key) == .dateKey(key))
        #expect(throws: WireError.badValue) { try Reply(kind: 135, body: []) }
        #expect(throws: WireError.badValue) { try Reply(kind: 132, body: [], secret: key) }
        for length in [31, 33] {
            let other = try Self.secret([UInt8](repeating: 7, count: length))
            #expect(throws: WireError.badValue) { try Reply(kind: 135, body: [], secret: other) }
        }
        #expect(throws: WireError.trailingBytes) { try Reply(kind: 135, body: [0], secret: key) }
    }

    @Test("A secret of any bytes goes through a socket beside its message")
    func frame() throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        let key = try Self.secret((0..<32).map { 0xE0 | $0 })
        #expect(FrameSocket(descriptor: ends[0]).send(kind: 135, number: 9, body: [], secret: key))
        let received = try #require(try FrameSocket(descriptor: ends[1]).receive())
        #expect(received.header.number == 9 && received.header.bodyLength == 0)
        #expect(Self.bytes(of: try #require(received.secret)) == (0..<32).map { 0xE0 | $0 })
    }
}
