import Dispatch
import Foundation
import Glibc
import HTTPTransport
import SignatureSchemes
import Synchronization
import Testing

@Suite struct ClientCertificateTests {
    private let files: MutualTLS

    init() throws { files = try MutualTLS.shared.get() }

    /// What a client was asked to sign.
    private final class Asked: Sendable {
        private let list = Mutex<[SignatureScheme]>([])

        var schemes: [SignatureScheme] { list.withLock(\.self) }

        func add(_ wanted: HandshakeSignature) { list.withLock { $0.append(wanted.scheme) } }
    }

    /// A GET with a client certificate.
    private func get(
        _ server: OpenSSLServer, as client: MutualTLS.Client, _ key: ClientKey = .unknown,
        host: String = "localhost", trusting bundle: String? = nil, limits: HTTPLimits = testLimits(),
        asked: Asked = Asked(), sign: (@Sendable (HandshakeSignature) async throws -> [UInt8])? = nil
    ) async throws -> String {
        try await get(
            port: server.port, as: client, key, host: host, trusting: bundle, limits: limits, asked: asked,
            sign: sign)
    }

    private func get(
        port: UInt16, as client: MutualTLS.Client, _ key: ClientKey = .unknown,
        host: String = "localhost", trusting bundle: String? = nil, limits: HTTPLimits = testLimits(),
        asked: Asked = Asked(), sign: (@Sendable (HandshakeSignature) async throws -> [UInt8])? = nil
    ) async throws -> String {
        let files = files
        let request = HTTPRequest(
            method: .get, url: "https://\(host):\(port)/", caBundle: bundle ?? files.caBundle,
            clientKey: key)
        let connection = HTTPConnection(for: request, limits: limits)
        defer { connection.hangUp() }
        try await connection.opened()
        #expect(asked.schemes.isEmpty)
        let identity = ClientIdentity(chain: [try files.certificate(client.rawValue)]) { wanted in
            asked.add(wanted)
            return try await sign?(wanted) ?? files.sign(wanted, with: client)
        }
        let response = try await connection.send(as: identity)
        #expect(response.status == 200)
        return String(decoding: response.body, as: UTF8.self)
    }

    private static let versions = ["-tls1_2", "-tls1_3"]
    private static let clients: [(MutualTLS.Client, SignatureScheme)] = [
        (.p256, SignatureScheme(.ecdsa, .sha256)), (.p384, SignatureScheme(.ecdsa, .sha384)),
        (.rsa2048, SignatureScheme(.rsaPSS, .sha256)),
    ]

    /// The schemes of TLS 1.3 go with the curve (RFC 8446 §4.2.3).
    @Test("One signature shows the server who the client is", arguments: versions, clients)
    func handshake(_ version: String, _ client: (MutualTLS.Client, SignatureScheme)) async throws {
        let (client, scheme) = client
        let server = try OpenSSLServer(files, [version])
        let asked = Asked()
        let page = try await get(server, as: client, asked: asked)
        #expect(page.contains("Subject: CN=\(client.rawValue)\n"))
        #expect(asked.schemes.count == 1 && asked.schemes.first?.algorithm == scheme.algorithm)
        if version == "-tls1_3" { #expect(asked.schemes == [scheme]) }
    }

    @Test("A key without RSA-PSS signs PKCS #1 v1.5 in TLS 1.2, where the server takes both versions")
    func withoutPSS() async throws {
        let server = try OpenSSLServer(files)
        let asked = Asked()
        let page = try await get(server, as: .rsa2048, .rsaWithoutPSS, asked: asked)
        #expect(page.contains("Protocol  : TLSv1.2\n") && page.contains("Subject: CN=rsa2048\n"))
        #expect(asked.schemes == [SignatureScheme(.rsaPKCS1, .sha256)])
    }

    @Test("A P-256 key signs with SHA-384 in TLS 1.2, where the server wants that")
    func longHash() async throws {
        let server = try OpenSSLServer(files, ["-tls1_2", "-client_sigalgs", "ECDSA+SHA384"])
        let asked = Asked()
        _ = try await get(server, as: .p256, asked: asked)
        #expect(asked.schemes == [SignatureScheme(.ecdsa, .sha384)])
    }

    private func failure(
        _ server: OpenSSLServer, as client: MutualTLS.Client, _ key: ClientKey = .unknown,
        host: String = "localhost", trusting bundle: String? = nil, asked: Asked = Asked(),
        sign: (@Sendable (HandshakeSignature) async throws -> [UInt8])? = nil
    ) async -> TransportError? {
        await #expect(throws: TransportError.self) {
            try await get(server, as: client, key, host: host, trusting: bundle, asked: asked, sign: sign)
        }
    }

    @Test("A server that is not the one meant gets no signature", arguments: versions)
    func impostors(_ version: String) async throws {
        let asked = Asked()
        let named = try OpenSSLServer(files, [version])
        #expect(await failure(named, as: .p256, host: "127.0.0.1", asked: asked) == .tls(.wrongName, host: "127.0.0.1"))
        let addressed = try OpenSSLServer(files, certificate: "address", [version])
        #expect(await failure(addressed, as: .p256, asked: asked) == .tls(.wrongName, host: "localhost"))
        let other = files.folder.appending(path: "other-ca.pem").path
        #expect(
            await failure(named, as: .p256, trusting: other, asked: asked) == .tls(.unknownAuthority, host: "localhost")
        )
        #expect(asked.schemes.isEmpty)
        _ = try await get(addressed, as: .p256, host: "127.0.0.1")
    }

    /// With RSA key exchange (RFC 5246 §7.4.7.1) the client signs before the server has used its key.
    @Test("A server that shows its key only after the client's signature gets none")
    func staticRSA() async throws {
        let asked = Asked()
        let server = try OpenSSLServer(files, certificate: "rsa-server", ["-tls1_2", "-cipher", "kRSA"])
        let error = await failure(server, as: .p256, asked: asked)
        #expect(error?.message.contains("handshake failure") == true)
        #expect(asked.schemes.isEmpty)
        let both = try OpenSSLServer(
            files, certificate: "rsa-server", ["-tls1_2", "-cipher", "kRSA:ECDHE", "-serverpref"])
        #expect(try await get(both, as: .p256).contains("Cipher    : ECDHE-RSA"))
    }

    @Test("A server that asks for no certificate gets neither signature nor request", arguments: versions)
    func noRequest(_ version: String) async throws {
        let asked = Asked()
        let server = try OpenSSLServer(files, asks: false, [version])
        #expect(await failure(server, as: .p256, asked: asked) == .tls(.asksForNoCertificate, host: "localhost"))
        #expect(asked.schemes.isEmpty)
    }

    @Test("Where client and server have no signature in common, none is made")
    func nothingInCommon() async throws {
        let asked = Asked()
        let modern = try OpenSSLServer(files, ["-tls1_3"])
        #expect(
            await failure(modern, as: .rsa2048, .rsaWithoutPSS, asked: asked) == .tls(.wantsTLS13, host: "localhost"))
        for version in Self.versions {
            let server = try OpenSSLServer(files, [version, "-client_sigalgs", "RSA-PSS+SHA256"])
            #expect(await failure(server, as: .p256, asked: asked) == .tls(.noCommonSignature, host: "localhost"))
        }
        #expect(asked.schemes.isEmpty)
    }

    @Test("A server's refusal is told in the words of its alert", arguments: versions)
    func refusals(_ version: String) async throws {
        let server = try OpenSSLServer(files, [version])
        #expect(await failure(server, as: .stranger) == .tls(.refusedCertificate(.unknownCA), host: "localhost"))
        let files = files
        let forged = await failure(server, as: .p256) { try files.sign($0, with: .stranger) }
        #expect(forged == .tls(.refusedCertificate(.decryptError), host: "localhost"))
    }

    @Test("Where openssl.cnf rules out keys that are elsewhere, that is told before anything is connected")
    func ruledOut() async {
        await #expect(processExitsWith: .success) {
            let text = "openssl_conf = all\n[all]\nalg_section = chosen\n[chosen]\ndefault_properties = fips=yes\n"
            let file = FileManager.default.temporaryDirectory.appending(path: "openssl-\(UUID().uuidString).cnf")
            try Data(text.utf8).write(to: file)
            unsafe setenv("OPENSSL_CONF", file.path, 1)
            let server = try LoopbackServer { _ in Issue.record("the server was asked") }
            let request = HTTPRequest(
                method: .get, url: "https://localhost:\(server.port)/", clientKey: .unknown)
            let error = await #expect(throws: TransportError.self) { try await exchange(request) }
            try FileManager.default.removeItem(at: file)
            #expect(error?.message.contains("see default_properties in openssl.cnf") == true)
        }
    }

    @Test("A signature that is too long for its key, or empty, harms nothing but its own exchange")
    func oddSignatures() async throws {
        let server = try OpenSSLServer(files)
        for length in [0, 73, 104, 10_000] {
            await #expect(throws: (any Error).self) {
                try await get(server, as: .p256) { _ in [UInt8](repeating: 1, count: length) }
            }
        }
        _ = try await get(server, as: .p256)
    }

    @Test("The wait for a signature counts against no limit, and blocks no other exchange", arguments: versions)
    func slowToken(_ version: String) async throws {
        let server = try OpenSSLServer(files, [version])
        let second = try OpenSSLServer(files, [version])
        let files = files
        let page = try await get(server, as: .p256, limits: testLimits(connect: 1000, answer: 1000)) { wanted in
            _ = try await get(second, as: .rsa2048)
            try await Task.sleep(for: .milliseconds(1500))  // what is tested is that time passes
            return try files.sign(wanted, with: .p256)
        }
        #expect(page.contains("Subject: CN=p256\n"))
    }

    @Test("A server that gives up while the token signs makes one clear error", arguments: versions)
    func goneServer(_ version: String) async throws {
        let server = try OpenSSLServer(files, [version])
        let asked = Asked()
        let files = files
        let error = await failure(server, as: .p256, asked: asked) { wanted in
            server.stop()
            return try files.sign(wanted, with: .p256)
        }
        #expect(error == .tls(.hungUp, host: "localhost") && asked.schemes.count == 1)
    }

    @Test("A server that says nothing after the signature is one that does not answer")
    func silentServer() async throws {
        let server = try OpenSSLServer(files, ["-tls1_2"])
        let relay = try LoopbackServer { peer in
            guard let behind = try? Peer.connect(to: server.port), let hello = peer.read(), behind.send(hello) else {
                return
            }
            DispatchQueue(label: "relay").async { while let part = behind.read(), peer.send(part) {} }
            peer.readToEnd()
            behind.close()
        }
        let asked = Asked()
        let error = await #expect(throws: TransportError.self) {
            try await get(port: relay.port, as: .p256, limits: testLimits(connect: 1000), asked: asked)
        }
        #expect(error == .timedOut(.answer, host: "localhost") && asked.schemes.count == 1)
    }

    struct TokenGone: Error, Equatable {}

    @Test("An error of the token comes out as it is", arguments: versions)
    func tokenError(_ version: String) async throws {
        let server = try OpenSSLServer(files, [version])
        await #expect(throws: TokenGone()) { try await get(server, as: .p384) { _ in throw TokenGone() } }
    }

    @Test("Cancelling ends the wait for a signature")
    func cancellation() async throws {
        let server = try OpenSSLServer(files)
        let (reached, signal) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await get(server, as: .p256) { _ in
                signal.yield()
                try await Task.sleep(for: .seconds(600))
                return []
            }
        }
        for await _ in reached { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("Connections that are dropped while they wait end, and the next one works")
    func dropped() async throws {
        let server = try OpenSSLServer(files)
        for _ in 0..<10 {
            let request = HTTPRequest(
                method: .get, url: "https://localhost:\(server.port)/", caBundle: files.caBundle,
                clientKey: .unknown)
            let connection = HTTPConnection(for: request, limits: testLimits())
            try await connection.opened()
            connection.hangUp()
            await #expect(throws: CancellationError.self) {
                try await connection.send(as: ClientIdentity(chain: []) { _ in [] })
            }
        }
        _ = try await get(server, as: .p256)
    }

    @Test("Exchanges of several identities at once keep apart")
    func concurrency() async throws {
        let server = try OpenSSLServer(files)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<18 {
                let client = [MutualTLS.Client.p256, .p384, .rsa2048][number % 3]
                group.addTask { try await get(server, as: client).contains("Subject: CN=\(client.rawValue)\n") }
            }
            for try await isOwn in group { #expect(isOwn) }
        }
    }
}
