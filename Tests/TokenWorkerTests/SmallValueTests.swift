import PKCS11
import SignatureSchemes
import Synchronization
import Testing
import TokenService

@testable import TokenWorker

@Suite("The cards that have taken a PIN")
struct VerifiedCardsTests {
    private final class Told: Sendable {
        let readers = Mutex<[[[UInt8]]]>([])
    }

    @Test("Each change is told at once, with every reader once, and what changes nothing is not") func tells() {
        let told = Told()
        var cards = VerifiedCards { readers in told.readers.withLock { $0.append(readers.sorted { $0[0] < $1[0] }) } }
        let (first, second) = (reference("a").token, reference("b").token)
        cards.add(first, in: [1])
        cards.add(first, in: [1])
        cards.add(second, in: [1])
        cards.add(second, in: [2])
        cards.keep(only: [first, second])
        cards.keep(only: [second])
        cards.remove(second)
        #expect(told.readers.withLock { $0 } == [[[1]], [[1]], [[1], [2]], [[2]], []])
    }

    @Test("One card is meant, or all") func meant() {
        var cards = VerifiedCards { _ in }
        cards.add(reference("a").token, in: [1])
        cards.add(reference("b").token, in: [2])
        #expect(cards.cards(of: reference("b").token) == [reference("b").token: [2]])
        #expect(cards.cards(of: nil).count == 2 && cards.cards(of: reference("c").token).isEmpty)
    }
}

@Suite("Which key is meant")
struct WantedKeyTests {
    private static func wanted(_ half: PublicHalf?) -> WantedKey {
        WantedKey(
            SignRequest(
                token: reference(), keyID: [1], publicHalf: half, scheme: SignatureScheme(.ecdsa, .sha256), message: [],
                digest: []))
    }

    /// Points on P-256: 65 bytes, bare or in a DER OCTET STRING (PKCS#11 2.40 §2.3.3).
    @Test("A key's public half speaks against it where both are known and differ") func halves() {
        let point: [UInt8] = [4] + [UInt8](repeating: 7, count: 64)
        let other: [UInt8] = [4] + [UInt8](repeating: 8, count: 64)
        let key = Self.wanted(.ec(parameters: [], point: point))
        #expect(key.mayBe(.ec(parameters: [], point: [0x04, 65] + point)))
        #expect(!key.mayBe(.ec(parameters: [], point: other)))
        #expect(key.mayBe(.ec(parameters: [], point: [])), "private keys often show no point")
        #expect(!key.mayBe(.rsa(modulus: [1], exponent: [3])))
        #expect(!key.mayBe(.other(keyType: 0x40)))
        #expect(Self.wanted(nil).mayBe(.other(keyType: 0x40)))
    }

    @Test("A modulus counts without its leading zeros, and an exponent does not count") func modulus() {
        let key = Self.wanted(.rsa(modulus: [0, 9, 9], exponent: [1, 0, 1]))
        #expect(key.mayBe(.rsa(modulus: [9, 9], exponent: [])))
        #expect(!key.mayBe(.rsa(modulus: [9, 8], exponent: [1, 0, 1])))
    }

    @Test("Every key is a candidate where the CKA_ID is empty") func search() {
        let request = SignRequest(
            token: reference(), keyID: [], publicHalf: nil, scheme: SignatureScheme(.ecdsa, .sha256), message: [],
            digest: [])
        #expect(WantedKey(request).searchedID == nil && Self.wanted(nil).searchedID == [1])
    }
}

@Suite("How much one answer tells")
struct ReadingRoomTests {
    @Test("An object that does not fit into half a frame is left out, small ones by their number") func full() throws {
        var room = ReadingRoom()
        for _ in 0..<127 { try room.take([UInt8](repeating: 0, count: 65_472)) }  // 64 KiB each with the object itself
        try room.take([UInt8](repeating: 0, count: 65_472))  // 8 MiB
        #expect(throws: PKCS11Error.self) { try room.take([]) }
        var stopped = ReadingRoom { true }
        #expect(throws: PKCS11Error.interrupted) { try stopped.take([]) }
    }
}

@Suite("The control thread's jobs")
struct WorkQueueTests {
    @Test("Jobs come in the order in which they were given, and dropped ones never") func order() {
        let queue = WorkQueue<Int>()
        for job in 1...3 { queue.add(job) }
        #expect(queue.next() == 1)
        queue.replaceAll(with: 4)
        #expect(queue.next() == 4)
        queue.add(5)
        #expect(queue.next() == 5)
    }
}
