import Dispatch
import Glibc
import Synchronization
import Testing

@testable import TokenService

private final class Record: Sendable {
    let lengths = Mutex<[UInt32: [Int]]>([:])
}

@Suite("Frames in packets")
struct PacketSocketTests {
    private static func pair() -> (PacketSocket, PacketSocket) {
        var ends: [Int32] = [-1, -1]
        #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
        return (PacketSocket(descriptor: ends[0]), PacketSocket(descriptor: ends[1]))
    }

    @Test("Threads that wait for packets get each of them once, and whole")
    func threads() {
        let (sender, receiver) = Self.pair()
        let got = Record()
        let threads = DispatchGroup()
        for number in 1...4 {
            DispatchQueue(label: "reader \(number)").async(group: threads) {
                let reader = PacketReader(receiver)
                while let packet = try? reader.receive() {
                    #expect(packet.header.kind == 5 && packet.body.allSatisfy { $0 == 7 })
                    got.lengths.withLock { $0[packet.header.number, default: []].append(packet.body.count) }
                }
            }
        }
        for number in 0..<100 as Range<UInt32> {
            let body = [UInt8](repeating: 7, count: Int(number) * 50)
            while sender.send(kind: 5, number: number, body: body) != .sent { sched_yield() }  // much waits already
        }
        close(sender.descriptor)
        threads.wait()
        close(receiver.descriptor)
        let all = Dictionary(uniqueKeysWithValues: (0..<100).map { (UInt32($0), [$0 * 50]) })
        #expect(got.lengths.withLock { $0 } == all)
    }

    @Test("The longest packet arrives, and no longer one is sent")
    func longest() throws {
        let (sender, receiver) = Self.pair()
        defer { for end in [sender, receiver] { close(end.descriptor) } }
        let body = [UInt8](repeating: 1, count: PacketSocket.longest - FrameHeader.length)
        #expect(sender.send(kind: 1, number: 1, body: body + [1]) == .refused)
        #expect(sender.send(kind: 1, number: 2, body: body) == .sent)
        let reader = PacketReader(receiver)
        let packet = try reader.receive()
        #expect(packet?.header.number == 2 && packet?.body == body)
    }

    @Test("What the kernel takes no more of is told from a peer that is gone")
    func refused() throws {
        let (sender, receiver) = Self.pair()
        defer { close(sender.descriptor) }
        let body = [UInt8](repeating: 1, count: 64 << 10)
        var number: UInt32 = 0
        while number < 1000, sender.send(kind: 1, number: number, body: body) == .sent { number += 1 }
        #expect(sender.send(kind: 1, number: number, body: body) == .refused)
        let reader = PacketReader(receiver)
        for expected in 0..<number { #expect(try reader.receive()?.header.number == expected) }
        #expect(sender.send(kind: 1, number: number, body: body) == .sent)
        close(receiver.descriptor)
        #expect(sender.send(kind: 1, number: number, body: body) == .ended)
    }

    @Test(
        "What is no frame, or has a secret beside it, is none",
        arguments: [
            [1, 5, 0, 0],  // no header
            [2, 5, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],  // another version
            [1, 5, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0],  // a secret
            [1, 5, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 9],  // less than it says
            [1, 5, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 9],  // more than it says
        ] as [[UInt8]])
    func nonsense(_ bytes: [UInt8]) {
        let (sender, receiver) = Self.pair()
        defer { for end in [sender, receiver] { close(end.descriptor) } }
        #expect(unsafe write(sender.descriptor, bytes, bytes.count) == bytes.count)
        let reader = PacketReader(receiver)
        #expect(throws: WireError.self) { try reader.receive() }
    }
}
