import Foundation
import Testing

@testable import Agent

@Suite struct ServerMalformedRequestTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var request: String
        var status: Int

        init(_ name: String, _ request: String, _ status: Int = 400) {
            (self.name, self.request, self.status) = (name, request, status)
        }

        var testDescription: String { name }
    }

    private static let line = "GET /v1/health HTTP/1.1\r\n"
    private static let host = "Host: x\r\n"

    static let cases: [Case] = [
        Case("nothing but an empty line", "\r\n\r\n"),
        Case("an empty line before the request", "\r\n" + line + host + "\r\n"),
        Case("bare LF everywhere", "GET /v1/health HTTP/1.1\nHost: x\n\n"),
        Case("bare LF after a field", line + "Host: x\n\r\n"),
        Case("bare CR in a field", line + "Host: x\rX: y\r\n\r\n"),
        Case("CR CR LF", line + "Host: x\r\r\n\r\n"),
        Case("NUL in a field", line + "Host: x\0\r\n\r\n"),
        Case("a control character in the path", "GET /v1/\u{1}health HTTP/1.1\r\n\r\n"),
        Case("TLS instead of HTTP", "\u{16}\u{3}\u{1}\u{2}\0\u{1}"),
        Case("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Case("HTTP/0.9", "GET /v1/health\r\n\r\n"),
        Case("HTTP/1.2", "GET /v1/health HTTP/1.2\r\n" + host + "\r\n"),
        Case("HTTP/2.0", "GET /v1/health HTTP/2.0\r\n" + host + "\r\n"),
        Case("a lower-case version", "GET /v1/health http/1.1\r\n" + host + "\r\n"),
        Case("two spaces before the path", "GET  /v1/health HTTP/1.1\r\n" + host + "\r\n"),
        Case("two spaces before the version", "GET /v1/health  HTTP/1.1\r\n" + host + "\r\n"),
        Case("a tab for a space", "GET\t/v1/health HTTP/1.1\r\n" + host + "\r\n"),
        Case("a space after the version", "GET /v1/health HTTP/1.1 \r\n" + host + "\r\n"),
        Case("no method", " /v1/health HTTP/1.1\r\n" + host + "\r\n"),
        Case("a method of 17 bytes", "AAAAAAAAAAAAAAAAA /v1/health HTTP/1.1\r\n" + host + "\r\n"),
        Case("a method that is no token", "G(T /v1/health HTTP/1.1\r\n" + host + "\r\n"),
        Case("absolute form", "GET http://x/v1/health HTTP/1.1\r\n" + host + "\r\n"),
        Case("authority form", "CONNECT x:443 HTTP/1.1\r\n" + host + "\r\n"),
        Case("asterisk form", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n"),
        Case("a query", "GET /v1/health?x=1 HTTP/1.1\r\n" + host + "\r\n"),
        Case("an escape in the path", "GET /v1/%68ealth HTTP/1.1\r\n" + host + "\r\n"),
        Case("UTF-8 in the path", "GET /v1/é HTTP/1.1\r\n" + host + "\r\n"),
        Case("no Host", line + "\r\n"),
        Case("two Hosts", line + host + host + "\r\n"),
        Case("a folded line", line + host + "X: a\r\n b\r\n\r\n"),
        Case("a field without a colon", line + host + "X\r\n\r\n"),
        Case("a field without a name", line + host + ": a\r\n\r\n"),
        Case("a space before the colon", line + "Host : x\r\n\r\n"),
        Case("a space before the name", line + " Host: x\r\n\r\n"),
        Case("Content-Length twice", line + host + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n"),
        Case("Content-Length as a list", line + host + "Content-Length: 0, 0\r\n\r\n"),
        Case("Content-Length with a sign", line + host + "Content-Length: +1\r\n\r\nx"),
        Case("negative Content-Length", line + host + "Content-Length: -1\r\n\r\n"),
        Case("hexadecimal Content-Length", line + host + "Content-Length: 0x1\r\n\r\nx"),
        Case("empty Content-Length", line + host + "Content-Length:\r\n\r\n"),
        Case("Content-Length beyond any integer", line + host + "Content-Length: 99999999999999999999\r\n\r\n"),
        Case(
            "Content-Length with Transfer-Encoding",
            line + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Case("Transfer-Encoding alone", line + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Case("Transfer-Encoding: identity", line + host + "Transfer-Encoding: identity\r\n\r\n"),
        Case("Upgrade", line + host + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
        Case("Origin", line + host + "Origin: https://example.com\r\n\r\n", 403),
        Case("Origin: null", line + host + "origin: null\r\n\r\n", 403),
        Case("Sec-Fetch-Site", line + host + "Sec-Fetch-Site: cross-site\r\n\r\n", 403),
        Case("SEC-FETCH-MODE", line + host + "SEC-FETCH-MODE: no-cors\r\n\r\n", 403),
        Case("64 fields", line + host + String(repeating: "X: y\r\n", count: 63) + "\r\n", 200),
        Case("65 fields", line + host + String(repeating: "X: y\r\n", count: 64) + "\r\n", 413),
        Case("a head of 16,384 bytes", head(of: 16_384), 200),
        Case("a head of 16,385 bytes", head(of: 16_385), 413),
        Case("a head without an end", line + "X: " + String(repeating: "y", count: 20_000), 413),
        Case(
            "a body of 8,193 bytes announced", "POST /v1/lock HTTP/1.1\r\nHost: x\r\nContent-Length: 8193\r\n\r\n",
            413),
        Case(
            "a PIN for a route that takes no body",
            "POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\n\r\n{\"pin\":\"8351\"}", 413),
        Case(
            "a PIN for a route that takes a code",
            "POST /v1/profiles/prod/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\n\r\n{\"pin\":\"8351\"}", 400),
        Case("a body for a GET announced", line + host + "Content-Length: 1\r\n\r\n", 413),
    ]

    private static func head(of length: Int) -> String {
        let start = line + host + "X: "
        return start + String(repeating: "y", count: length - start.utf8.count - 4) + "\r\n\r\n"
    }

    @Test(
        "A request that two readers could understand differently gets its status", arguments: cases,
        RequestArrival.allCases)
    func malformed(row: Case, arrival: RequestArrival) async throws {
        let test = try await ServerUnderTest(starts: false)
        let answer = try #require(try await test.answer(to: row.request, arrival))
        #expect(answer.status == row.status)
        #expect(answer.field("Cache-Control") == "no-store")
        if row.status != 200 {
            #expect(answer.field("Content-Type") == "application/problem+json")
        }
        await test.server.stop()
    }

    @Test(
        "The connection ends with a malformed request, and what follows is not read",
        arguments: [
            "GET /v1/health HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        ], RequestArrival.allCases)
    func ends(request: String, arrival: RequestArrival) async throws {
        let test = try await ServerUnderTest(starts: false)
        let client = try await test.client(
            sending: request + "GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n", arrival)
        let all = try await client.receiveAll()
        #expect(all.hasPrefix("HTTP/1.1 400 "))
        #expect(all.components(separatedBy: "HTTP/1.1 ").count == 2)
        await test.server.stop()
    }

    @Test("Whatever is sent in whatever pieces, the head reads the same") func pieces() throws {
        let request = Array("POST /v1/lock HTTP/1.1\r\nHost: x\r\nX:  a b \r\nContent-Length:\t7 \r\n\r\n{}".utf8)
        for size in 1...request.count {
            var parser = RequestHeadParser(limits: ServerLimits())
            var result: (head: RequestHead, length: Int)?
            for end in Array(stride(from: size, to: request.count, by: size)) + [request.count] {
                result = try parser.read(request.span.extracting(..<end))
                if result != nil { break }
            }
            let (head, length) = try #require(result)
            #expect(head == RequestHead(method: "POST", path: "/v1/lock", contentLength: 7, host: "x"))
            #expect(length == request.count - 2)
        }
    }
}
