import Foundation
import PKCS11URI
import TokenService
import X509

@testable import Identities

/// The files that `X509Tests/vectors/make` made.
enum Vectors {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "X509Tests/vectors")

    static func bytes(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: folder.appending(path: "\(name).der")))
    }

    static func certificate(_ name: String) throws -> Certificate { try Certificate(der: bytes(name)) }

    /// The public key of a certificate as another parser read it, the way a token shows it.
    static func publicHalf(_ name: String) throws -> PublicHalf {
        let text = try String(contentsOf: folder.appending(path: "expected.tsv"), encoding: .utf8)
        for row in text.split(separator: "\n") {
            let fields = row.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields[0] == name else { continue }
            if fields[5].hasPrefix("RSA") { return .rsa(modulus: bytes(of: fields[6]), exponent: bytes(of: fields[7])) }
            return .ec(parameters: [], point: bytes(of: fields[6]))
        }
        throw CocoaError(.fileNoSuchFile)
    }

    static func bytes(of hexadecimal: String) -> [UInt8] {
        let digits = Array(hexadecimal)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
    }
}

/// 2030-01-01T00:00:00Z, when every certificate of the vectors is valid that is not named for the contrary.
let now: Int64 = 1_893_456_000

/// A public half of which the token tells nothing.
let silent = PublicHalf.ec(parameters: [], point: [])

extension TokenSnapshot {
    /// A token that needs no login, unless `flags` says so.
    init(
        _ label: String = "prod", flags: TokenFlags = [], isLoggedIn: Bool = false, slotID: UInt64 = 1,
        certificates: [CertificateObject] = [], keys: [KeyObject] = []
    ) {
        let token = TokenDescription(
            label: Array(label.utf8), manufacturer: Array("maker".utf8), model: Array("m".utf8), serial: [0x31])
        self.init(
            slotID: slotID, token: token, flags: flags, isLoggedIn: isLoggedIn, pinLength: 4...64,
            certificates: certificates, keys: keys)
    }
}

extension CertificateObject {
    /// An object with the certificate of this name, which is its label too.
    init(_ name: String, id: [UInt8] = [1]) throws {
        self.init(id: id, label: Array(name.utf8), value: try Vectors.bytes(name))
    }
}

extension KeyObject {
    static func privateKey(_ publicHalf: PublicHalf, id: [UInt8] = [1], label: String = "key", canSign: Bool = true)
        -> Self
    {
        Self(
            keyClass: .privateKey, id: id, label: Array(label.utf8), publicHalf: publicHalf, canSign: canSign,
            alwaysAuthenticates: false)
    }

    static func publicKey(_ publicHalf: PublicHalf, id: [UInt8] = [1], label: String = "key") -> Self {
        Self(
            keyClass: .publicKey, id: id, label: Array(label.utf8), publicHalf: publicHalf, canSign: false,
            alwaysAuthenticates: false)
    }
}

extension PresentToken {
    init(module: Int, snapshot: TokenSnapshot) {
        self.init(module: module, location: snapshot.located(in: nil), snapshot: snapshot)
    }
}

extension Array<TokenSnapshot> {
    /// One worker sees them all.
    var present: [PresentToken] {
        map { PresentToken(module: 0, snapshot: $0) }
    }
}
