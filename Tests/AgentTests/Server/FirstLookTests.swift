import AgentAPI
import Foundation
import NIOCore
import Testing

@testable import Agent

/// The acceptor's one read, on one end of a socket pair.
@Suite("The first look at a connection") struct FirstLookTests {
    private let (ours, theirs): (CInt, CInt)
    private let acceptor: Acceptor
    private let responder: Responder

    init() throws {
        var pair: [CInt] = [0, 0]
        try unsafe #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &pair) == 0)
        (ours, theirs) = (pair[0], pair[1])
        responder = Responder(
            operations: .scripted(cached: { $0.description == "large" ? Self.large : AgentOperations.issued }),
            limits: ServerLimits(),
            audit: AuditLog(milliseconds: 1000, eventLoop: NIOSingletons.posixEventLoopGroup.next(), write: { _ in }))
        let none = AllowList()
        let policy = Policy(
            agentUID: 1000, scope: .user,
            profiles: Dictionary(
                uniqueKeysWithValues: ["ci", "large"].compactMap { ProfileName($0) }.map { ($0, none) }))
        acceptor = try Acceptor(
            descriptor: -1, policy: policy, responder: responder, peer: { _ in Peer(uid: 1000, gid: 1, pid: 9) },
            isWorker: { _ in false }, warn: { _ in })
    }

    private static let large = IssuedCredentials(
        json: [UInt8](repeating: 0x20, count: 1 << 20), endpointJSON: [], accessKeyID: "A", expiration: 0)

    private var caller: Caller {
        Caller(peer: Peer(uid: 1000, gid: 1, pid: 9), acceptor: acceptor, isOwner: true, place: .owner)
    }

    private func send(_ text: String) { unsafe _ = write(theirs, text, text.utf8.count) }

    /// All that is there to read.
    private func received() -> String {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe read(theirs, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private func end() {
        close(ours)
        close(theirs)
    }

    private static let health = "GET /v1/health HTTP/1.1\r\nHost: x\r\n"

    @Test("A peer that has said nothing is silent, and one that has hung up is over") func silent() {
        defer { close(ours) }
        var look = FirstLook(responder: responder)
        guard case .silent = look.look(at: ours, of: caller) else {
            Issue.record("not silent")
            return
        }
        close(theirs)
        guard case .over = look.look(at: ours, of: caller) else {
            Issue.record("not over")
            return
        }
    }

    @Test("A request that ends the connection is answered, and is over") func closing() {
        defer { end() }
        send(Self.health + "Connection: close\r\n\r\n")
        var look = FirstLook(responder: responder)
        guard case .over = look.look(at: ours, of: caller) else {
            Issue.record("not over")
            return
        }
        #expect(received().hasSuffix(#"{"status":"ok"}"#))
    }

    @Test("What follows an answered request is for the event loop", arguments: ["GET /v1/st", health + "\r\n"])
    func rest(rest: String) {
        defer { end() }
        send("\(Self.health)\r\n\(rest)")
        var look = FirstLook(responder: responder)
        guard case .goesOn(let bytes, nil) = look.look(at: ours, of: caller) else {
            Issue.record("it does not go on")
            return
        }
        #expect(String(buffer: bytes) == rest)
        #expect(received().components(separatedBy: "HTTP/1.1 200 OK").count == 2)
    }

    @Test("A connection that stays has its answer, and may go on") func stays() {
        defer { end() }
        var look = FirstLook(responder: responder)
        for _ in 1...2 {
            send("\(Self.health)\r\n")
            guard case .answered = look.look(at: ours, of: caller) else {
                Issue.record("not answered")
                return
            }
            #expect(received().hasSuffix(#"{"status":"ok"}"#))
        }
    }

    @Test(
        "A request that waits, has a body, is malformed or not whole is for the event loop, and nothing is said yet",
        arguments: [
            "G", health, "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\n\n",
            "POST /v1/tokens/unlock HTTP/1.1\r\nHost: x\r\nContent-Length: 24\r\n\r\n{\"uri\":\"u\",\"pin\":\"1234\"}",
            // The longest that may have a PIN: it comes in one piece, so that its bytes are in no second place.
            "POST /v1/tokens/unlock HTTP/1.1\r\nHost: x\r\nContent-Length: 8192\r\n\r\n"
                + String(repeating: " ", count: 8192),
            "GET /v1/health HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1",
            "GET /v1/health HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\n\r\n",
        ])
    func others(request: String) {
        defer { end() }
        send(request)
        var look = FirstLook(responder: responder)
        guard case .goesOn(let bytes, nil) = look.look(at: ours, of: caller) else {
            Issue.record("it does not go on")
            return
        }
        #expect(String(buffer: bytes) == request)
        #expect(received().isEmpty)
    }

    @Test("What the peer does not read of its answer at once is for the event loop") func unsent() throws {
        defer { end() }
        send("GET /v1/profiles/large/credentials HTTP/1.1\r\nHost: x\r\n\r\n")
        var look = FirstLook(responder: responder)
        guard case .goesOn(let bytes, let (rest, reply)?) = look.look(at: ours, of: caller) else {
            Issue.record("all of it was sent")
            return
        }
        #expect(bytes.readableBytes == 0 && reply.holdsSecret && !reply.isLast)
        var sent = 0
        while case let part = received(), !part.isEmpty { sent += part.utf8.count }
        #expect(sent > 0 && rest.readableBytes > 0 && sent + rest.readableBytes > 1 << 20)
    }
}
