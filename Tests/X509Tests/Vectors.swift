import Foundation
import Testing

@testable import X509

/// The files that `vectors/make` made.
enum Vectors {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "vectors")

    static func bytes(_ file: String) throws -> [UInt8] {
        try Array(Data(contentsOf: folder.appending(path: file)))
    }

    static func certificate(_ name: String) throws -> Certificate { try Certificate(der: bytes("\(name).der")) }

    /// What OpenSSL's command and python3-cryptography say of a certificate: column name to text.
    typealias Expectation = [String: String]

    static let expected: [Expectation] = {
        let text = (try? String(contentsOf: folder.appending(path: "expected.tsv"), encoding: .utf8)) ?? ""
        let rows = text.split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
        guard let columns = rows.first?.map(String.init) else { return [] }
        return rows.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(columns, $0.map(String.init))) }
    }()
}

func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
