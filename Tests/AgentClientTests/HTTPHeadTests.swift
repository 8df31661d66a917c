import Outcomes
import Testing

@testable import AgentClient

@Suite("The head of an answer")
struct HTTPHeadTests {
    private func parse(_ text: String) throws(ClientFailure) -> HTTPHead? {
        let bytes = Array(text.utf8)
        guard let end = HTTPHead.end(in: bytes.span, from: 0) else { return nil }
        return try HTTPHead(bytes.span.extracting(..<end))
    }

    enum Fault: String {
        case statusLine = "no HTTP/1.1 status line"
        case headerLine = "a malformed header line"
        case transferEncoding = "a Transfer-Encoding, which the agent never uses"
        case noContentLength = "no Content-Length"
        case contentLength = "a wrong Content-Length"
    }

    @Test(
        "A well-formed head gives status and length",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, 5),
            ("HTTP/1.0 200 OK\r\ncontent-length:5\r\n\r\nhello", 200, 5),
            ("HTTP/1.1 404 \r\nCONTENT-LENGTH: \t0 \r\n\r\n", 404, 0),
            ("HTTP/1.1 404\r\nContent-Length: 000000012\r\n\r\n", 404, 12),
            ("HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n\r\n", 204, 0),
            ("HTTP/1.1 503 Später\r\nX: \u{e4}\r\nContent-Length: 999999999\r\n\r\n", 503, 999_999_999),
        ])
    func wellFormed(text: String, status: Int, length: Int) throws {
        let head = try #require(try parse(text))
        #expect(head.status == status)
        #expect(head.bodyLength == length)
    }

    @Test("The body begins behind the first empty line")
    func bodyStart() throws {
        let head = try #require(try parse("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nab\r\n\r\ncd"))
        #expect(head.bodyStart == 38)
    }

    @Test(
        "A head whose empty line has not come is no head yet",
        arguments: ["", "H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n", "HTTP/1.1 200 OK\n\n", "\n\r\n\r"])
    func unfinished(text: String) throws {
        #expect(try parse(text) == nil)
    }

    @Test(
        "A malformed head names its first fault",
        arguments: [
            ("\r\n\r\n", Fault.statusLine),
            ("HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n", .statusLine),
            ("http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .statusLine),
            ("HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", .statusLine),
            ("HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n", .statusLine),
            ("HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", .statusLine),
            ("HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", .statusLine),
            ("HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n", .statusLine),
            ("HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n", .statusLine),
            ("HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n", .statusLine),
            ("{\"error\":true}\r\n\r\n", .statusLine),
            ("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", .headerLine),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n\r\n", .headerLine),
            ("HTTP/1.1 200 OK\r\nA: b\rContent-Length: 0\r\n\r\n", .headerLine),
            ("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 0\r\n\r\n", .headerLine),
            ("HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", .headerLine),
            ("HTTP/1.1 200 OK\r\n: 0\r\nContent-Length: 0\r\n\r\n", .headerLine),
            ("HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n", .headerLine),
            ("HTTP/1.1 200 OK\r\nA: \u{0}\r\nContent-Length: 0\r\n\r\n", .headerLine),
            ("HTTP/1.1 200 OK\r\nA: \u{1b}[2J\r\nContent-Length: 0\r\n\r\n", .headerLine),
            ("HTTP/1.1 200 OK\r\n\r\n", .noContentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", .contentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", .contentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", .contentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", .contentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n\r\n", .contentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n", .contentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1 1\r\n\r\n", .contentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n", .contentLength),
            ("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", .contentLength),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncoding),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: identity\r\n\r\n", .transferEncoding),
        ])
    func malformed(text: String, fault: Fault) {
        let failure = #expect(throws: ClientFailure.self) { try parse(text) }
        #expect(failure?.detail == "the agent's answer makes no sense: \(fault.rawValue)")
        #expect(failure?.exit == .software)
    }

    @Test("Every beginning of a head is refused or waited for, and never read beyond")
    func beginnings() throws {
        let whole = Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\n".utf8)
        for length in 0..<whole.count {
            let part = Array(whole[..<length])
            #expect(HTTPHead.end(in: part.span, from: 0) == nil)
            // A parser that trusted the missing end would leave the array and trap.
            let closed = part + Array("\r\n\r\n".utf8)
            let found = HTTPHead.end(in: closed.span, from: 0)
            let end = try #require(found)
            _ = try? HTTPHead(closed.span.extracting(..<end))  // either is right: what counts is that it returns
        }
    }
}
