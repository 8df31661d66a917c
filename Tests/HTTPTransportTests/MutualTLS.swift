import Foundation
import HTTPTransport
import SignatureSchemes

/// An authority with a server's certificate and clients' certificates, made by the openssl program, once for all tests.
struct MutualTLS {
    enum Client: String, CaseIterable, Sendable {
        case p256, p384, rsa2048
        /// P-256, from an authority of its own.
        case stranger
    }

    let folder: URL
    var caBundle: String { folder.appending(path: "ca.pem").path }

    static let shared = Result { try MutualTLS() }

    private init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "mutual-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try makeAuthority("ca")
        try makeAuthority("other-ca")
        try makeCertificate("server", "ec:P-256", from: "ca", extensions: "subjectAltName=DNS:localhost")
        try makeCertificate("address", "ec:P-256", from: "ca", extensions: "subjectAltName=IP:127.0.0.1")
        try makeCertificate("rsa-server", "rsa:2048", from: "ca", extensions: "subjectAltName=DNS:localhost")
        for client in Client.allCases {
            let key = client == .rsa2048 ? "rsa:2048" : client == .p384 ? "ec:P-384" : "ec:P-256"
            try makeCertificate(
                client.rawValue, key, from: client == .stranger ? "other-ca" : "ca",
                extensions: "extendedKeyUsage=clientAuth")
        }
    }

    private func makeAuthority(_ name: String) throws {
        try openssl(
            ["req", "-x509", "-subj", "/CN=\(name)", "-days", "2", "-newkey", "ec", "-pkeyopt"]
                + ["ec_paramgen_curve:P-256", "-nodes", "-keyout", "\(name).key", "-out", "\(name).pem"])
    }

    private func makeCertificate(_ name: String, _ key: String, from authority: String, extensions: String) throws {
        let parts = key.split(separator: ":").map(String.init)
        let option = parts[0] == "ec" ? "ec_paramgen_curve:\(parts[1])" : "rsa_keygen_bits:\(parts[1])"
        try Data(extensions.utf8).write(to: folder.appending(path: "\(name).ext"))
        try openssl(
            ["req", "-new", "-subj", "/CN=\(name)", "-newkey", parts[0], "-pkeyopt", option, "-nodes", "-keyout"]
                + ["\(name).key", "-out", "\(name).csr"])
        try openssl(
            ["x509", "-req", "-in", "\(name).csr", "-CA", "\(authority).pem", "-CAkey", "\(authority).key", "-days"]
                + ["2", "-CAcreateserial", "-extfile", "\(name).ext", "-out", "\(name).pem"])
        try openssl(["x509", "-in", "\(name).pem", "-outform", "DER", "-out", "\(name).der"])
    }

    func certificate(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: "\(name).der")))
    }

    /// Signs as a token does, by the openssl program with the client's key.
    func sign(_ wanted: HandshakeSignature, with client: Client) throws -> [UInt8] {
        var arguments = ["dgst", "-sha\(wanted.scheme.hash.length * 8)", "-sign", "\(client.rawValue).key"]
        if wanted.scheme.algorithm == .rsaPSS {
            arguments += ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
        }
        return try openssl(arguments, input: wanted.message)
    }

    @discardableResult func openssl(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = folder
        let (standardInput, output) = (Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: input)
        try standardInput.fileHandleForWriting.close()
        let answer = Array(output.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
        return answer
    }
}

/// `openssl s_server`, which answers a GET with a page about the connection, the client's certificate included.
final class OpenSSLServer: Sendable {
    let port: UInt16
    private let process = Process()

    /// - Parameter asks: Whether it asks for a client certificate, and wants one of the authority's.
    init(_ files: MutualTLS, certificate: String = "server", asks: Bool = true, _ options: [String] = []) throws {
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-naccept", "20", "-cert", "\(certificate).pem"]
            + ["-key", "\(certificate).key", "-CAfile", "ca.pem"] + options
            + (asks ? ["-Verify", "1", "-verify_return_error"] : [])
        process.currentDirectoryURL = files.folder
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var text = ""
        while !text.contains("ACCEPT 127.0.0.1:") || !text.hasSuffix("\n") {
            let part = output.fileHandleForReading.availableData
            guard !part.isEmpty else { throw CocoaError(.executableLoad) }
            text += String(decoding: part, as: UTF8.self)
        }
        let digits = text.components(separatedBy: "ACCEPT 127.0.0.1:")[1].prefix { $0.isNumber }
        guard let port = UInt16(digits) else { throw CocoaError(.executableLoad) }
        self.port = port
    }

    func stop() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    deinit { stop() }
}
