import AgentAPI
import Foundation
import Testing

@testable import Agent

@Suite struct ServerStopTests {
    private static let request = "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test("Idle connections end at once, and the socket and its lock are gone") func idle() async throws {
        let test = try await ServerUnderTest()
        let clients = try (0..<20).map { _ in try test.connect() }
        clients[0].send(Self.request)
        #expect(try await clients[0].receive()?.status == 200)
        clients[1].send("GET /v1/hea")
        await test.server.stop()
        for client in clients { #expect(try await client.receiveAll().isEmpty) }
        #expect(throws: ServerTestClient.Failure.self) { try test.connect() }
        #expect(try FileManager.default.contentsOfDirectory(atPath: test.folder.path).isEmpty)
    }

    @Test("A request under way gets its answer, and then the connection ends") func underWay() async throws {
        let gate = OperationGate()
        let test = try await ServerUnderTest(
            operations: .scripted(status: { () async throws(Problem) in await gate.pass() }))
        let client = try test.connect()
        client.send(Self.request)
        await gate.waitForStart()
        async let stopped: Void = test.server.stop()
        // The socket's name goes first.
        while FileManager.default.fileExists(atPath: test.folder.socket) { await Task.yield() }
        gate.release()
        await stopped
        let all = try await client.receiveAll()
        #expect(all.hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test("An operation that does not end is not waited for beyond the limit") func endless() async throws {
        var limits = ServerLimits()
        limits.stopMilliseconds = 30
        let gate = OperationGate()
        let test = try await ServerUnderTest(
            operations: .scripted(status: { () async throws(Problem) in await gate.pass() }), limits: limits)
        let client = try test.connect()
        client.send(Self.request)
        await gate.waitForStart()
        await test.server.stop()
        #expect(try await client.receiveAll().isEmpty)
        gate.release()  // and what it brings then finds nobody
    }

    @Test("A client that hangs up frees its place; the operation goes on for others") func hangUp() async throws {
        let gate = OperationGate()
        let test = try await ServerUnderTest(
            operations: .scripted(status: { () async throws(Problem) in await gate.pass() }))
        do {
            let client = try test.connect()
            client.send(Self.request)
            await gate.waitForStart()
        }
        gate.release()
        while test.audited.isEmpty { await Task.yield() }
        #expect(test.audited.map(\.status) == [200])
        await test.server.stop()
    }

    @Test("A socket that another has put in our place is left alone") func replaced() async throws {
        let test = try await ServerUnderTest()
        try FileManager.default.removeItem(atPath: test.folder.socket)
        try Data("another's".utf8).write(to: URL(filePath: test.folder.socket))
        await test.server.stop()
        #expect(try String(contentsOfFile: test.folder.socket, encoding: .utf8) == "another's")
    }

    @Test("Starting twice and stopping twice change nothing") func twice() async throws {
        let test = try await ServerUnderTest()
        try await test.server.start()
        #expect(try await test.answer(to: Self.request)?.status == 200)
        await test.server.stop()
        await test.server.stop()
    }
}
