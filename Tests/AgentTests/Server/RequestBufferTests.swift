import NIOCore
import Testing

@testable import Agent

@Suite struct RequestBufferTests {
    private static func text(_ buffer: borrowing RequestBuffer) -> String {
        buffer.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
    }

    private static func text(_ buffer: ByteBuffer) -> String {
        String(decoding: buffer.readableBytesView, as: UTF8.self)
    }

    @Test("A request that one read brings whole is read where it is, and wiped there")
    func whole() {
        let received = ByteBuffer(string: "12345678")
        var buffer = RequestBuffer()
        buffer.append(received)
        buffer.removeFirst(3)
        let (rest, count, capacity) = (Self.text(buffer), buffer.count, buffer.capacity)
        #expect((rest, count, capacity) == ("45678", 5, 0))
        #expect(Self.text(received) == "\0\0\045678")
        buffer.removeFirst(5)
        let isEmpty = buffer.isEmpty
        #expect(isEmpty)
        #expect(Self.text(received) == "\0\0\0\0\0\0\0\0")
    }

    @Test("What is left of a read is kept elsewhere, and wiped where it was; what follows is added to it")
    func pieces() {
        let (first, second, third) = (ByteBuffer(string: "12"), ByteBuffer(string: "34"), ByteBuffer(string: "56"))
        var buffer = RequestBuffer()
        buffer.append(first)
        buffer.keep()
        #expect(Self.text(first) == "\0\0")
        buffer.append(second)
        #expect(Self.text(second) == "\0\0")
        buffer.removeFirst(1)
        buffer.append(third)
        let rest = Self.text(buffer)
        #expect(rest == "23456")
        buffer.removeFirst(5)
        let capacity = buffer.capacity
        #expect(capacity == 0)
    }

    @Test("Two reads in a row without a look are both kept")
    func unseen() {
        var buffer = RequestBuffer()
        buffer.append(ByteBuffer(string: "12"))
        buffer.append(ByteBuffer(string: "34"))
        let text = Self.text(buffer)
        #expect(text == "1234")
    }

    @Test("A connection that ends leaves nothing where its request was read", arguments: [false, true])
    func end(isKept: Bool) {
        let received = ByteBuffer(string: "1234")
        do {
            var buffer = RequestBuffer()
            buffer.append(received)
            if isKept { buffer.keep() }
        }
        #expect(Self.text(received) == "\0\0\0\0")
        var buffer = RequestBuffer()
        let again = ByteBuffer(string: "1234")
        buffer.append(again)
        buffer.removeAll()
        #expect(Self.text(again) == "\0\0\0\0")
    }
}
