import AgentAPI
import Foundation
import NIOCore
import Synchronization
import Testing

@testable import Agent

@Suite("Peers that may ask for nothing") struct ServerDeniedPeerTests {
    private static let own = Peer(uid: ServerUnderTest.own, gid: 1, pid: 7)

    private static func stranger(_ uid: UInt32) -> Peer { Peer(uid: uid, gid: uid, pid: 9) }

    private static func time(_ milliseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(0) + .milliseconds(milliseconds)
    }

    /// Whether a new connection is told why it is refused; it stays open at this end.
    private static func isTold(_ client: ServerTestClient) async throws -> Bool {
        guard let answer = try await client.receive() else { return false }
        #expect(answer.status == 403)
        return true
    }

    @Test(
        "They have few connections, of each user and in all, and those beyond end without a word",
        arguments: [
            ([1001, 1001, 1001], [true, true, false]), ([1001, 1002, 1003, 1004], [true, true, true, false]),
        ]
            as [([UInt32], [Bool])])
    func places(uids: [UInt32], told: [Bool]) async throws {
        var limits = ServerLimits()
        limits.deniedPerUser = 2
        limits.denied = 3
        let callers = Callers(uids.map(Self.stranger) + [Self.own])
        let test = try await ServerUnderTest(limits: limits, peer: { _ in callers.next() })
        var clients: [ServerTestClient] = []
        for isTold in told {
            clients.append(try test.connect())
            #expect(try await Self.isTold(clients[clients.count - 1]) == isTold)
        }
        #expect(try await test.answer(to: "GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")?.status == 200)
        #expect(clients.count == told.count)
        await test.server.stop()
    }

    @Test("A place that is left is free again") func left() async throws {
        var limits = ServerLimits()
        limits.deniedPerUser = 1
        let test = try await ServerUnderTest(limits: limits, peer: { _ in Self.stranger(1001) })
        for _ in 1...3 {
            let client = try test.connect()
            client.endWriting()
            #expect(try await client.receiveAll().hasPrefix("HTTP/1.1 403 "))
        }
        await test.server.stop()
    }

    @Test("A flood of them is a line for each user now and then, and none is uncounted") func lines() async throws {
        var limits = ServerLimits()
        limits.deniedLineMilliseconds = 200
        limits.lingerMilliseconds = 20  // looks for what is due every 5 ms
        let test = try await ServerUnderTest(limits: limits, peer: { _ in Self.stranger(1001) })
        let began = ContinuousClock.now
        for _ in 1...100 { _ = try await test.connect().receiveAll() }
        let most = Int((ContinuousClock.now - began) / .milliseconds(200)) + 2
        let deadline = ContinuousClock.now + .seconds(10)
        while test.audited.reduce(0, { $0 + 1 + $1.others }) < 100, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(test.audited.reduce(0) { $0 + 1 + $1.others } == 100)
        #expect(test.audited.count <= most)
        await test.server.stop()
    }

    @Test("Lines: the first at once, one a second at most, and the rest is counted") func countedLines() {
        var limits = ServerLimits()
        limits.deniedLineMilliseconds = 1000
        var peers = DeniedPeers(limits: limits)
        let deny = Policy.Decision.deny(reason: "no")
        let (first, second) = (Self.stranger(1), Self.stranger(2))
        func others(_ peer: Peer, _ milliseconds: Int64) -> Int? {
            peers.tell(.init(peer: peer, decision: deny), at: Self.time(milliseconds))?
                .others
        }
        #expect(others(first, 0) == 0)
        #expect(others(first, 1) == nil)
        #expect(others(first, 999) == nil)
        #expect(others(second, 999) == 0)
        #expect(others(first, 1000) == 2)
        #expect(others(first, 1001) == nil)
        #expect(peers.due(at: Self.time(1999)).map(\.peer) == [])
        #expect(peers.due(at: Self.time(2000)).map(\.others) == [0])
        #expect(peers.due(at: Self.time(3000)).isEmpty)
        #expect(peers.isQuiet)
    }
}

/// One caller after the other.
private final class Callers: Sendable {
    private let peers: Mutex<[Peer]>

    init(_ peers: [Peer]) { self.peers = Mutex(peers) }

    func next() -> Peer { peers.withLock { $0.removeFirst() } }
}
