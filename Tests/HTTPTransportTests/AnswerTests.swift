import Glibc
import HTTPTransport
import HeaderFields
import Testing

@Suite struct AnswerTests {
    static let ok = "HTTP/1.1 200 OK\r\n"

    @Test("An answer comes whole, with its headers in order, whatever its status")
    func answer() async throws {
        let server = try LoopbackServer.answering(
            "HTTP/1.1 403 Forbidden\r\nx-amzn-ErrorType: AccessDeniedException\r\nSet-Cookie:a\r\nset-cookie: \tb \r\n"
                + "Empty:\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nX-Late: 1\r\n\r\n"
        )
        let response = try await post(server.url)
        #expect(response.status == 403)
        #expect(
            response.headers.prefix(4) == [
                HeaderField(name: "x-amzn-ErrorType", value: "AccessDeniedException"),
                HeaderField(name: "Set-Cookie", value: "a"),
                HeaderField(name: "set-cookie", value: "b"), HeaderField(name: "Empty", value: ""),
            ])
        #expect(!response.headers.contains { $0.name == "X-Late" })
        #expect(response.body == Array("hello!".utf8))
    }

    @Test("A redirect is an answer, and is not followed")
    func redirect() async throws {
        let target = try LoopbackServer { _ in Issue.record("the redirect was followed") }
        let server = try LoopbackServer.answering(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: \(target.url)\r\nContent-Length: 0\r\n\r\n")
        let response = try await post(server.url)
        #expect(response.status == 307)
    }

    @Test("Up to eight interim answers come before the real one", arguments: [0, 1, 8])
    func interim(count: Int) async throws {
        let interim = String(repeating: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", count: count)
        let server = try LoopbackServer.answering("\(interim)\(Self.ok)Content-Length: 0\r\nX: y\r\n\r\n")
        let response = try await post(server.url)
        #expect(response.status == 200)
        #expect(!response.headers.contains { $0.name == "Link" })
    }

    @Test("A flood of interim answers is cut off", arguments: [9, 100])
    func interimFlood(count: Int) async throws {
        let interim = String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: count)
        let error = try await failureOfAnswer("\(interim)\(Self.ok)Content-Length: 0\r\n\r\n")
        #expect(error == .protocolViolation("more than 8 interim answers came first"))
    }

    static let oversized: [(head: String, filler: String, count: Int, part: TransportError.Part)] = [
        ("Content-Length: 1073741824\r\n\r\n", "", 0, .body),
        ("Content-Length: 262145\r\n\r\n", "", 0, .body),
        ("Transfer-Encoding: chunked\r\n\r\n40001\r\n", "x", 0x40001, .body),
        ("\r\n", "x", 262_145, .body),
        ("X: ", "x", 32_768, .headers),
        ("X: ", "x", 200_000, .headers),
        ("", "X: y\r\n", 6000, .headers),
        ("Transfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n", 6000, .headers),
    ]

    @Test("An answer that grows too large is cut off", arguments: oversized)
    func tooLarge(head: String, filler: String, count: Int, part: TransportError.Part) async throws {
        let answer = Self.ok + head + String(repeating: filler, count: count) + "\r\n\r\n"
        #expect(try await failureOfAnswer(answer) == .tooLarge(part))
    }

    @Test("A body of just the limit is taken")
    func largest() async throws {
        let server = try LoopbackServer.answering(
            "\(Self.ok)Content-Length: 262144\r\n\r\n" + String(repeating: "x", count: 262_144))
        #expect(try await post(server.url).body.count == 262_144)
    }

    @Test(
        "An answer that ends early is told from one that is whole",
        arguments: [
            "", ok, "\(ok)Content-Length: 10\r\n\r\nhello", "\(ok)Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
            "\(ok)Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "\(ok)Content-Le",
        ])
    func truncated(answer: String) async throws {
        #expect(try await failureOfAnswer(answer) == .truncated)
    }

    @Test(
        "What is not HTTP/1.1 is refused",
        arguments: [
            "hello\r\n\r\n", "<html></html>", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "ICY 200 OK\r\n\r\n",
            "\(ok)no colon\r\n\r\n", "\(ok): x\r\n\r\n", "\(ok)A B: x\r\n\r\n", "\(ok)A: x\0y\r\n\r\n",
            "\(ok)A: b\r\n c\r\n\r\n",
            "\(ok)Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "\(ok)Content-Length: -1\r\n\r\n",
            "\(ok)Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        ])
    func violation(answer: String) async throws {
        let error = try await failureOfAnswer(answer)
        switch error {
        case .protocolViolation?: break
        default: Issue.record("unexpected: \(String(describing: error))")
        }
    }

    @Test(
        "A compressed answer is refused",
        arguments: ["Content-Encoding: gzip", "content-encoding: br", "Transfer-Encoding: gzip, chunked"])
    func compressed(header: String) async throws {
        let error = try await failureOfAnswer("\(Self.ok)\(header)\r\nContent-Length: 1\r\n\r\nx")
        #expect(error == .protocolViolation("it is compressed, which was not asked for"))
    }

    @Test(
        "An answer that drips has a deadline as a whole",
        arguments: [
            "HTTP/1.1 2", ok, "\(ok)Content-Length: 100000\r\n\r\n", "\(ok)Transfer-Encoding: chunked\r\n\r\nFFFF\r\n",
        ])
    func drip(beginning: String) async throws {
        let server = try LoopbackServer { peer in
            _ = peer.readRequest()
            peer.send(beginning)
            while peer.send("x") { usleep(20_000) }
        }
        let clock = ContinuousClock()
        var error: TransportError?
        let elapsed = await clock.measure {
            error = await #expect(throws: TransportError.self) {
                try await post(server.url, limits: testLimits(answer: 400))
            }
        }
        #expect(error == .timedOut(.answer, host: "127.0.0.1"))
        #expect(elapsed < .seconds(60))  // on a busy machine; the server drips for ever
    }

    @Test("A server that never answers has a deadline")
    func silence() async throws {
        let server = try LoopbackServer { $0.readToEnd() }
        let error = await #expect(throws: TransportError.self) {
            try await post(server.url, limits: testLimits(answer: 300))
        }
        #expect(error == .timedOut(.answer, host: "127.0.0.1"))
    }

    @Test("Each error says in one line what happened")
    func messages() {
        let errors: [TransportError] = [
            .resolve(host: "h"), .connect(host: "h", reason: "r"), .proxy(status: nil), .proxy(status: 407),
            .tls(.wrongName, host: "h"), .tls(.unknownAuthority, host: "h"), .tls(.expired, host: "h"),
            .tls(.notYetValid, host: "h"), .tls(.other("t"), host: "h"), .timedOut(.nameLookup, host: "h"),
            .timedOut(.connect, host: "h"), .timedOut(.answer, host: "h"), .tooLarge(.headers), .tooLarge(.body),
            .truncated, .protocolViolation("t"), .configuration("t"),
        ]
        #expect(Set(errors.map(\.message)).count == errors.count)
        for error in errors { #expect(!error.message.contains("\n") && !error.message.hasSuffix(".")) }
    }
}
