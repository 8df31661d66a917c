import Testing

@testable import AgentClient

@Suite("A buffer for secrets")
struct SecretBufferTests {
    @Test("It takes what fits, and refuses the rest whole", arguments: [false, true])
    func capacity(locked: Bool) throws {
        var buffer = try SecretBuffer(capacity: 8, locked: locked)
        try buffer.append("12345678" as StaticString)
        var refused = false
        do throws(ClientFailure) { try buffer.append("9" as StaticString) } catch { refused = error.exit == .usage }
        let content = buffer.withBytes { bytes in bytes.indices.map { bytes[$0] } }
        #expect(refused)
        #expect(content == Array("12345678".utf8))
    }

    @Test("After a wipe nothing is left of it")
    func wipe() throws {
        var buffer = try SecretBuffer(capacity: 8)
        try buffer.append("1234" as StaticString)
        buffer.wipe()
        var left: [UInt8] = []
        _ = unsafe buffer.append { room in
            for index in 0..<room.count { unsafe left.append(room[index]) }
            return 0
        }
        #expect(left == [0, 0, 0, 0, 0, 0, 0, 0])
    }
}
