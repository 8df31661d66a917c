import Foundation
import KeeperService
import PKCS11URI
import Testing
import TokenService
import X509

@testable import Keeper

@Suite("The names of a file's certificates on a token")
struct NewCertificateTests {
    private static let label = Array("client".utf8)

    /// The files that `X509Tests/vectors/make` made.
    private static func certificate(_ name: String) throws -> Certificate {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Certificate(der: Array(Data(contentsOf: folder.appending(path: "X509Tests/vectors/\(name).der"))))
    }

    private static func labels(_ names: [NewCertificate]) -> [String] {
        names.map { String(decoding: $0.label, as: UTF8.self) }
    }

    private static func names(_ shown: [ShownCertificate]) throws -> [NewCertificate] {
        NewCertificate.names(
            own: try certificate("leaf"), intermediates: [try certificate("int-1"), try certificate("int-2")],
            id: [0x4A], label: label, beside: shown)
    }

    @Test("The key's certificate has the key's name, and each intermediate a label of its own and no id")
    func each() throws {
        let names = try Self.names([])
        #expect(Self.labels(names) == ["client", "client issuer 1", "client issuer 2"])
        #expect(names.map(\.id) == [[0x4A], [], []])
        let files = try ["leaf", "int-1", "int-2"].map(Self.certificate)
        #expect(names.map(\.certificate) == files)
    }

    @Test("An intermediate that is on the token is not written again")
    func present() throws {
        let der = try Self.certificate("int-1").der
        let names = try Self.names([ShownCertificate(der: der, id: [7], label: [8])])
        #expect(Self.labels(names) == ["client", "client issuer 1"])
        #expect(names.last?.certificate == (try Self.certificate("int-2")))
    }

    @Test("A label that another certificate has is passed over")
    func taken() throws {
        let names = try Self.names([ShownCertificate(der: [], id: [], label: Array("client issuer 1".utf8))])
        #expect(Self.labels(names) == ["client", "client issuer 2", "client issuer 3"])
    }

    @Test("A file without a certificate gives no name")
    func none() {
        #expect(NewCertificate.names(own: nil, intermediates: [], id: [0x4A], label: Self.label, beside: []) == [])
    }

    @Test("A token shows all only with the key's id at the key's certificate")
    func shown() throws {
        let new = try Self.names([])
        var shown = new.map { ShownCertificate(der: $0.certificate.der, id: $0.id, label: []) }
        #expect(new.areAll(among: shown))
        #expect(!new.areAll(among: Array(shown.dropLast())))
        shown[0] = ShownCertificate(der: new[0].certificate.der, id: [], label: [])
        #expect(!new.areAll(among: shown))
    }
}
