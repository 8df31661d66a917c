import Foundation
import KeyFiles
import Testing

/// The files that `vectors/make` made.
enum Vectors {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "vectors")

    static func bytes(_ file: String) throws -> [UInt8] { try Array(Data(contentsOf: folder.appending(path: file))) }

    /// A file, its password (nil for none, "" for an empty one), and the outcome in the words of `make`.
    struct Row: Sendable, CustomTestStringConvertible {
        let file: String
        let password: String?
        let outcome: String

        var testDescription: String { "\(file) with \(password ?? "no password")" }
    }

    static let rows = table("expected.tsv").map {
        Row(file: $0[0], password: $0[1] == "-" ? nil : $0[1], outcome: $0[2])
    }

    /// The numbers of each key, by python3-cryptography: `rsa` with n, e, d, p, q, dP, dQ, qInv; `ec` with point and scalar.
    static let keys = Dictionary(uniqueKeysWithValues: table("keys.tsv").map { ($0[0], Array($0.dropFirst())) })

    private static func table(_ file: String) -> [[String]] {
        let text = (try? String(contentsOf: folder.appending(path: file), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    static func password(_ text: String?) throws -> FilePassword {
        if let text { return try FilePassword(Array(text.utf8).span) }
        return try FilePassword()
    }

    static func read(_ file: String, password text: String? = nil) throws -> KeyFile {
        let content = try bytes(file)
        let password = try password(text)
        return try KeyFile.read(content.span, password: password)
    }
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
