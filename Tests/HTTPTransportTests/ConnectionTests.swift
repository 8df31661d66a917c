import HTTPTransport
import HeaderFields
import Testing

@Suite struct ConnectionTests {
    @Test("Headers that come late reach the server, after TLS, with those that came early")
    func lateHeaders() async throws {
        let server = try TLSServer()
        let response = try await post("https://localhost:\(server.port)/a/../sessions?x=%2F", caBundle: server.caBundle)
        {
            [HeaderField(name: "Host", value: "signed.example"), HeaderField(name: "Authorization", value: "late")]
        }
        let request = String(decoding: response.body, as: UTF8.self)
        #expect(response.status == 200)
        #expect(request.hasPrefix("POST /a/../sessions?x=%2F HTTP/1.1\r\nHost: signed.example\r\n"))
        for line in ["X-Early: 1", "Authorization: late", "User-Agent: tokenward/0.1", "Content-Length: 23"] {
            #expect(request.contains("\r\n\(line)\r\n"))
        }
        #expect(!request.contains("Accept-Encoding") && !request.contains("Expect"))
        #expect(request.hasSuffix("\r\n\r\n{\"durationSeconds\":900}"))
        let timings = response.timings
        #expect(0 < timings.connect && timings.connect < timings.appConnect && timings.appConnect <= timings.total)
        #expect(0 < timings.answer && timings.answer <= timings.total)
    }

    @Test("A GET has no body")
    func get() async throws {
        let server = try TLSServer()
        let response = try await exchange(
            HTTPRequest(method: .get, url: "https://127.0.0.1:\(server.port)/", caBundle: server.caBundle))
        let request = String(decoding: response.body, as: UTF8.self)
        #expect(request.hasPrefix("GET / HTTP/1.1\r\n") && request.hasSuffix("\r\n\r\n"))
    }

    @Test("Neither connection nor TLS session is used twice")
    func freshConnections() async throws {
        let server = try TLSServer()
        for _ in 0..<3 {
            let response = try await post("https://localhost:\(server.port)/", caBundle: server.caBundle)
            #expect(response.headers.contains(HeaderField(name: "X-Resumed", value: "False")))
        }
    }

    @Test("The time that the headers take counts against no limit")
    func slowToken() async throws {
        let server = try TLSServer()
        let limits = testLimits(connect: 1000, answer: 1000)
        let response = try await post("https://localhost:\(server.port)/", limits: limits, caBundle: server.caBundle) {
            try await Task.sleep(for: .milliseconds(1500))  // what is tested is that time passes
            return []
        }
        #expect(response.status == 200)
        #expect(response.timings.total > 1_500_000)
    }

    @Test("Nothing listens: no signature is asked for")
    func refused() async throws {
        let port = try LoopbackServer.closedPort()
        let error = await failureBeforeSigning("https://127.0.0.1:\(port)/")
        guard case .connect("127.0.0.1", _)? = error else {
            Issue.record("unexpected: \(String(describing: error))")
            return
        }
    }

    @Test("The name does not exist: no signature is asked for")
    func noName() async {
        #expect(await failureBeforeSigning("https://nonexistent.invalid/") == .resolve(host: "nonexistent.invalid"))
    }

    @Test("The certificate is for another name: no signature is asked for")
    func wrongName() async throws {
        let server = try TLSServer(names: "DNS:other.example")
        let error = await failureBeforeSigning("https://localhost:\(server.port)/", caBundle: server.caBundle)
        #expect(error == .tls(.wrongName, host: "localhost"))
    }

    @Test("The authority is unknown: no signature is asked for")
    func unknownAuthority() async throws {
        let server = try TLSServer()
        let stranger = try TLSServer()
        for caBundle in [nil, stranger.caBundle] {
            let error = await failureBeforeSigning("https://localhost:\(server.port)/", caBundle: caBundle)
            #expect(error == .tls(.unknownAuthority, host: "localhost"))
        }
    }

    @Test("The certificate has expired: no signature is asked for")
    func expired() async throws {
        let server = try TLSServer(hasExpired: true)
        let error = await failureBeforeSigning("https://localhost:\(server.port)/", caBundle: server.caBundle)
        #expect(error == .tls(.expired, host: "localhost"))
    }

    @Test("The server speaks TLS 1.1 at best: no signature is asked for")
    func oldTLS() async throws {
        let server = try TLSServer(mode: .old)
        let error = await failureBeforeSigning("https://localhost:\(server.port)/", caBundle: server.caBundle)
        guard case .tls(.other, "localhost")? = error else {
            Issue.record("unexpected: \(String(describing: error))")
            return
        }
    }

    @Test("The server speaks plain HTTP where TLS is due: no signature is asked for")
    func plaintextServer() async throws {
        let server = try LoopbackServer { peer in
            _ = peer.read()
            peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")
        }
        let error = await failureBeforeSigning("https://127.0.0.1:\(server.port)/")
        guard case .tls(.other, "127.0.0.1")? = error else {
            Issue.record("unexpected: \(String(describing: error))")
            return
        }
    }

    @Test("The server accepts and says nothing: connecting has its deadline, and no signature is asked for")
    func silentServer() async throws {
        let server = try LoopbackServer { $0.readToEnd() }
        let error = await failureBeforeSigning("https://127.0.0.1:\(server.port)/", limits: testLimits(connect: 300))
        #expect(error == .timedOut(.connect, host: "127.0.0.1"))
    }

    @Test("A CA bundle that is not there is told so")
    func noBundle() async throws {
        let server = try TLSServer()
        let error = await failureBeforeSigning("https://localhost:\(server.port)/", caBundle: "/nonexistent/ca.pem")
        guard case .configuration(let text)? = error else {
            Issue.record("unexpected: \(String(describing: error))")
            return
        }
        #expect(text.contains("/nonexistent/ca.pem"))
    }

    @Test(
        "An URL that is not to be asked is refused",
        arguments: [
            "http://service.test/", "http://10.0.0.1/", "http://localhost.test/", "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "https://user@localhost/", "https://user:secret@localhost/", "https://", "", "localhost", "https://a b/",
            "https://a\0b/",
        ])
    func badURL(url: String) async {
        let error = await failureBeforeSigning(url)
        guard case .configuration? = error else {
            Issue.record("unexpected: \(String(describing: error))")
            return
        }
        #expect(error?.message.contains("secret") == false)
    }

    @Test("Plain HTTP to loopback must be allowed")
    func plaintext() async throws {
        let server = try LoopbackServer.answering("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try await post(server.url).status == 204)
        let request = HTTPRequest(method: .get, url: server.url)
        await #expect(throws: TransportError.configuration("http is for loopback addresses only: use https")) {
            try await exchange(request)
        }
    }

    @Test(
        "A late header that would be two is refused, and nothing is sent",
        arguments: [("a", "b\r\nc: d"), ("a:b", "c"), ("", "x"), ("a b", "c"), ("a", "b\0"), ("a", "")])
    func badHeader(name: String, value: String) async throws {
        let server = try LoopbackServer { peer in
            #expect(peer.readRequest().isEmpty)
        }
        let error = await #expect(throws: TransportError.self) {
            try await post(server.url) { [HeaderField(name: name, value: value)] }
        }
        guard case .configuration? = error else {
            Issue.record("unexpected: \(String(describing: error))")
            return
        }
    }
}
