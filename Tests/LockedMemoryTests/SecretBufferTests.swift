import Foundation
import LockedMemory
import Testing

@Suite("A buffer for secrets")
struct SecretBufferTests {
    private static func text(_ buffer: borrowing SecretBuffer) -> String {
        buffer.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
    }

    private static func buffer(_ text: String, capacity: Int = 8, isLocked: Bool = true) throws -> SecretBuffer {
        guard var buffer = SecretBuffer(capacity: capacity, isLocked: isLocked) else {
            throw CocoaError(.featureUnsupported)
        }
        let isTaken = buffer.insert(Array(text.utf8).span, at: 0)
        #expect(isTaken)
        return buffer
    }

    /// What stands in the free part.
    private static func room(_ buffer: inout SecretBuffer) -> [UInt8] {
        var left: [UInt8] = []
        _ = unsafe buffer.append { room in
            for index in 0..<room.count { unsafe left.append(room[index]) }
            return 0
        }
        return left
    }

    @Test("It takes what fits, and refuses the rest whole", arguments: [false, true])
    func capacity(isLocked: Bool) throws {
        var buffer = try Self.buffer("1234567", isLocked: isLocked)
        let isTaken = buffer.insert(Array("89".utf8).span, at: 3)
        #expect(!isTaken)
        let text = Self.text(buffer)
        #expect(text == "1234567")
    }

    @Test("Bytes can be put in at every place, and taken away at both ends")
    func places() throws {
        var buffer = try Self.buffer("bd", capacity: 16)
        for (text, place) in [("a", 0), ("c", 2), ("e", 4)] {
            let isTaken = buffer.insert(Array(text.utf8).span, at: place)
            #expect(isTaken)
        }
        let before = Self.text(buffer)
        #expect(before == "abcde")
        buffer.removeFirst(2)
        buffer.removeLast(1)
        let after = Self.text(buffer)
        #expect(after == "cd")
        let room = Self.room(&buffer)
        #expect(room.allSatisfy { $0 == 0 })
    }

    @Test("What is taken away is wiped")
    func wipe() throws {
        var buffer = try Self.buffer("1234")
        buffer.removeLast()
        let room = Self.room(&buffer)
        #expect(room == [0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("What was written before a failure is wiped")
    func failure() throws {
        var buffer = try Self.buffer("12")
        do throws(CocoaError) {
            _ = try unsafe buffer.append { (room) throws(CocoaError) -> Int in
                unsafe room.copyBytes(from: "3456".utf8)
                throw CocoaError(.featureUnsupported)
            }
            Issue.record("it did not throw")
        } catch {}
        let text = Self.text(buffer)
        #expect(text == "12")
        let room = Self.room(&buffer)
        #expect(room == [0, 0, 0, 0, 0, 0])
    }

    @Test("The kernel locks its page, dumps it into no file and wipes it in a child")
    func page() throws {
        let buffer = try Self.buffer("1234")
        let address = buffer.withBytes { unsafe $0.withUnsafeBytes { Int(bitPattern: $0.baseAddress) } }
        // proc_pid_smaps(5): VmFlags lo (locked), dd (not dumped), wf (wiped on fork).
        var flags: Set<Substring> = []
        var isOurs = false
        let smaps = try FileHandle(forReadingFrom: URL(filePath: "/proc/self/smaps")).readToEnd() ?? Data()
        for line in String(decoding: smaps, as: UTF8.self).split(separator: "\n") {
            let range = line.split(separator: " ")[0].split(separator: "-").compactMap { Int($0, radix: 16) }
            if range.count == 2 { isOurs = (range[0]..<range[1]).contains(address) }
            if isOurs, line.hasPrefix("VmFlags:") { flags = Set(line.split(separator: " ")) }
        }
        #if TOKENWARD_SANITIZER  // sanitizers make mlock(2) do nothing
            #expect(flags.isSuperset(of: ["dd", "wf"]))
        #else
            #expect(flags.isSuperset(of: ["lo", "dd", "wf"]))
        #endif
        let text = Self.text(buffer)
        #expect(text == "1234")
    }
}
