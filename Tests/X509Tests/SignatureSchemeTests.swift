import Foundation
import SignatureSchemes
import Testing

@testable import X509

/// Signatures that the openssl program makes while the test runs.
@Suite struct SignatureSchemeTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "schemes-\(UUID().uuidString)")

    private static let all = SignatureScheme.Algorithm.allCases.flatMap { algorithm in
        SignatureScheme.Hash.allCases.map { SignatureScheme(algorithm, $0) }
    }

    @Test("A signature is verified by its own scheme, and by no other") func schemes() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // a leftover there harms nobody
        let message = Array("64 blanks and so on".utf8)
        try Data(message).write(to: folder.appending(path: "message"))
        for (kind, option) in [("rsa", "rsa_keygen_bits:2048"), ("ec", "ec_paramgen_curve:P-256")] {
            try openssl(
                ["req", "-x509", "-subj", "/CN=\(kind)", "-newkey", kind, "-pkeyopt", option, "-nodes", "-keyout"]
                    + ["\(kind).key", "-outform", "DER", "-out", "\(kind).der"])
            let certificate = try Certificate(der: bytes("\(kind).der"))
            for scheme in Self.all where (scheme.algorithm == .ecdsa) == (kind == "ec") {
                let padding = ["rsa_padding_mode:pss", "rsa_pss_saltlen:digest"].flatMap { ["-sigopt", $0] }
                try openssl(
                    ["dgst", "-sha\(scheme.hash.length * 8)", "-sign", "\(kind).key", "-out", "signature"]
                        + (scheme.algorithm == .rsaPSS ? padding : []) + ["message"])
                let signature = try bytes("signature")
                for other in Self.all {
                    let isVerified = certificate.verifies(signature: signature, message: message, scheme: other)
                    #expect(isVerified == (other == scheme), "\(scheme.name), taken for \(other.name)")
                }
                #expect(Digest.hash(message, scheme.hash).count == scheme.hash.length)
            }
        }
    }

    private func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: name)))
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = folder
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }
}
