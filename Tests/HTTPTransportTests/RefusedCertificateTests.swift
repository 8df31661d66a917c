import Glibc
import HTTPTransport
import HeaderFields
import Testing

/// Servers that do not take the client's key or certificate.
@Suite struct RefusedCertificateTests {
    private let files: MutualTLS

    init() throws { files = try MutualTLS.shared.get() }

    private func connection(to port: UInt16, with key: ClientKey = .unknown) -> HTTPConnection {
        let request = HTTPRequest(
            method: .get, url: "https://localhost:\(port)/", caBundle: files.caBundle, clientKey: key)
        return HTTPConnection(for: request, limits: testLimits())
    }

    /// In TLS 1.3 each curve has its hash (RFC 8446 §4.2.3), in TLS 1.2 any hash goes with any curve (RFC 5246 §7.4.1.4.1).
    private static let servers: [(options: [String], takes: Set<ClientKey>)] = [
        (["-tls1_3"], [.p256, .p384, .p521, .rsa]),
        (["-tls1_3", "-client_sigalgs", "ECDSA+SHA256"], [.p256]),
        (["-tls1_3", "-client_sigalgs", "ECDSA+SHA384:RSA+SHA256"], [.p384]),
        (["-tls1_3", "-client_sigalgs", "RSA-PSS+SHA512"], [.rsa]),
        (["-tls1_2", "-client_sigalgs", "ECDSA+SHA384"], [.p256, .p384, .p521]),
        (["-tls1_2", "-client_sigalgs", "RSA+SHA512"], [.rsa, .rsaWithoutPSS]),
        (["-tls1_2", "-client_sigalgs", "RSA-PSS+SHA256"], [.rsa]),
        (["-tls1_2"], [.p256, .p384, .p521, .rsa, .rsaWithoutPSS]),
    ]

    @Test("Before anything is signed it is known which keys the server takes", arguments: servers)
    func keys(_ options: [String], _ taken: Set<ClientKey>) async throws {
        let server = try OpenSSLServer(files, options)
        let connection = connection(to: server.port)
        defer { connection.hangUp() }
        for key in [ClientKey.unknown, .p256, .p384, .p521, .rsa, .rsaWithoutPSS] {
            var error: TransportError?
            do { try await connection.opened(for: key) } catch let refused as TransportError { error = refused }
            let isTaken = key == .unknown || taken.contains(key)
            #expect(error == (isTaken ? nil : .tls(.noCommonSignature, host: "localhost")), "\(key)")
        }
    }

    /// The server's end has come before the request is sent: the refusal is all that is left to read.
    @Test("A refusal in TLS 1.3 is told though nothing can be sent any more")
    func resetAfterRefusal() async throws {
        let server = try OpenSSLServer(files, ["-tls1_3"])
        let relay = try LoopbackServer { client in
            guard let behind = try? Peer.connect(to: server.port) else { return }
            client.exchange(with: behind)
            client.resetWhenClosed()
            behind.close()
        }
        let connection = connection(to: relay.port)
        defer { connection.hangUp() }
        let files = files
        // It takes libcurl a while to copy them, in which the refusal arrives.
        let headers = (0..<10_000).map { HeaderField(name: "x", value: "\($0)") }
        let identity = ClientIdentity(chain: [try files.certificate("stranger")]) {
            try files.sign($0, with: .stranger)
        }
        let error = await #expect(throws: TransportError.self) { try await connection.send(headers, as: identity) }
        #expect(error == .tls(.refusedCertificate(.unknownCA), host: "localhost"))
    }

    @Test(
        "Each alert that may be about the certificate is told in the RFC's words, with its remedy",
        arguments: [
            (TLSAlert.certificateRevoked, "certificate revoked", "revoked"),
            (.certificateExpired, "certificate expired", "clocks"), (.unknownCA, "unknown ca", "register"),
            (.accessDenied, "access denied", "policy"), (.decryptError, "decrypt error", "another key"),
            (TLSAlert(rawValue: 46), "certificate unknown", "active"),
            (.handshakeFailure, "handshake failure", "active"),
        ])
    func words(_ alert: TLSAlert, _ words: String, _ remedy: String) {
        let error = TransportError.tls(.refusedCertificate(alert), host: "h")
        #expect(error.message == "h refused the client certificate in the TLS handshake: \(words)")
        #expect(error.hint?.contains(remedy) == true)
    }
}

extension Peer {
    /// Passes on whatever comes from either side, until the other one ends.
    fileprivate func exchange(with other: Peer) {
        while true {
            var waiting = [pollfd(fd: socket, events: Int16(POLLIN), revents: 0)]
            waiting.append(pollfd(fd: other.socket, events: Int16(POLLIN), revents: 0))
            guard unsafe poll(&waiting, 2, -1) > 0 else { return }
            if waiting[1].revents != 0 {
                guard let part = other.read(), send(part) else { return }
            } else {
                guard let part = read(), other.send(part) else { return }
            }
        }
    }

    /// The other side learns of the end by a reset (socket(7), SO_LINGER).
    fileprivate func resetWhenClosed() {
        var setting = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(socket, SOL_SOCKET, SO_LINGER, &setting, socklen_t(MemoryLayout<linger>.size))
    }
}
