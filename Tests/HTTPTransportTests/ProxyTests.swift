import Dispatch
import Glibc
import HTTPTransport
import HeaderFields
import Synchronization
import Testing

/// In processes of their own, because the environment is one for all threads.
@Suite struct ProxyTests {
    /// What a proxy was asked, and then a tunnel to a port of 127.0.0.1.
    static func tunnel(to port: UInt16, _ seen: @escaping @Sendable (String) -> Void) throws -> LoopbackServer {
        try LoopbackServer { peer in
            seen(peer.readRequest())
            guard let server = try? Peer.connect(to: port) else { return }  // the test fails for lack of an answer
            peer.send("HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n")
            DispatchQueue(label: "tunnel").async {
                while let part = server.read(), peer.send(part) {}
                shutdown(peer.socket, Int32(SHUT_RDWR))
            }
            while let part = peer.read(), server.send(part) {}
            server.close()
        }
    }

    @Test("The environment's proxy is asked for a tunnel, and sees no header of ours")
    func honoured() async {
        await #expect(processExitsWith: .success) {
            let server = try TLSServer()
            let seen = Mutex("")
            let proxy = try ProxyTests.tunnel(to: server.port) { request in seen.withLock { $0 = request } }
            unsafe setenv("https_proxy", "http://user:pass@127.0.0.1:\(proxy.port)", 1)
            let response = try await post("https://service.test:8443/", caBundle: server.caBundle) {
                [HeaderField(name: "Authorization", value: "late")]
            }
            let request = seen.withLock { $0 }
            #expect(response.status == 200)
            #expect(!response.headers.contains { $0.name == "X-Proxy" })
            #expect(request.hasPrefix("CONNECT service.test:8443 HTTP/1.1\r\n"))
            #expect(request.contains("Proxy-Authorization: Basic dXNlcjpwYXNz"))
            #expect(!request.contains("X-Early") && !request.contains("late"))
        }
    }

    @Test("A proxy that refuses is told by its status, and no signature is asked for")
    func refused() async {
        await #expect(processExitsWith: .success) {
            for status in [407, 403, 502] {
                let proxy = try LoopbackServer.answering("HTTP/1.1 \(status) No\r\nContent-Length: 0\r\n\r\n")
                unsafe setenv("https_proxy", "http://127.0.0.1:\(proxy.port)", 1)
                #expect(await failureBeforeSigning("https://service.test/") == .proxy(status: status))
            }
        }
    }

    @Test("A proxy that is not there is told, and no signature is asked for")
    func absent() async {
        await #expect(processExitsWith: .success) {
            unsafe setenv("https_proxy", "http://proxy.invalid:3128", 1)
            #expect(await failureBeforeSigning("https://service.test/") == .proxy(status: nil))
            let hangingUp = try LoopbackServer { _ = $0.readRequest() }
            unsafe setenv("https_proxy", "http://127.0.0.1:\(hangingUp.port)", 1)
            #expect(await failureBeforeSigning("https://service.test/") == .proxy(status: nil))
        }
    }

    /// libcurl would set up TLS with the proxy as it does with the service.
    @Test("A client with a certificate goes through no proxy of scheme https, and asks it for nothing")
    func overTLS() async {
        await #expect(processExitsWith: .success) {
            let proxy = try LoopbackServer { _ in Issue.record("the proxy was asked") }
            func failure() async -> TransportError? {
                let request = HTTPRequest(
                    method: .get, url: "https://nonexistent.invalid/", clientKey: .unknown)
                return await #expect(throws: TransportError.self) { try await exchange(request) }
            }
            for name in ["all_proxy", "HTTPS_PROXY", "https_proxy"] {
                unsafe setenv(name, "HTTPS://127.0.0.1:\(proxy.port)", 1)
                #expect(await failure() == .tlsProxy)
                unsafe unsetenv(name)
            }
            unsafe setenv("https_proxy", "https://127.0.0.1:\(proxy.port)", 1)
            unsafe setenv("no_proxy", "nonexistent.invalid", 1)
            #expect(await failure() == .resolve(host: "nonexistent.invalid"))
        }
    }

    @Test("Neither loopback nor the names of no_proxy go through the proxy")
    func bypassed() async {
        await #expect(processExitsWith: .success) {
            let proxy = try LoopbackServer { _ in Issue.record("the proxy was asked") }
            for name in ["https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"] {
                unsafe setenv(name, "http://127.0.0.1:\(proxy.port)", 1)
            }
            unsafe setenv("no_proxy", "nonexistent.invalid", 1)
            let plain = try LoopbackServer.answering("HTTP/1.1 204 No Content\r\n\r\n")
            #expect(try await post(plain.url).status == 204)
            let server = try TLSServer()
            for host in ["localhost", "127.0.0.1"] {
                _ = try await post("https://\(host):\(server.port)/", caBundle: server.caBundle)
            }
            #expect(await failureBeforeSigning("https://nonexistent.invalid/") == .resolve(host: "nonexistent.invalid"))
        }
    }
}
