import Differential
import Foundation
import Testing

@testable import Agent

/// The parser beside Python's own, on documents that are nearly right.
struct TOMLDifferentialTests {
    @Test("Our parser and tomllib accept the same documents and read the same values", arguments: [1, 2] as [UInt64])
    func tomllib(_ seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let documents = (0..<5000).map { _ in Self.document(using: &generator) }
        let verdicts = try Self.verdicts(of: documents)
        try #require(verdicts.count == documents.count)
        var accepted = 0
        for (document, verdict) in zip(documents, verdicts) {
            let entries = TOMLParser.parse(document) { _ in }
            let theirs =
                verdict == "refused" ? nil : try JSONSerialization.jsonObject(with: Data(verdict.utf8)) as? NSDictionary
            let ours = entries.map { NSDictionary(dictionary: $0.mapValues(Self.plain)) }
            #expect(ours == theirs, "\(String(decoding: document, as: UTF8.self).debugDescription)")
            if ours != nil { accepted += 1 }
        }
        #expect((500...4500).contains(accepted))
    }

    private static func verdicts(of documents: [[UInt8]]) throws -> [Substring] {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("tomllib-verdicts.py")
        return try Python.answers(
            String(contentsOf: script, encoding: .utf8), to: Data(documents.joined(separator: [0xFE])))
    }

    private static func plain(_ node: TOMLNode) -> Any {
        switch node.value {
        case .text(let text): text
        case .integer(let integer): integer
        case .boolean(let boolean): boolean
        case .array(let elements): elements.map(plain)
        case .table(let entries): entries.mapValues(plain)
        }
    }

    private static func document(using generator: inout SplitMix64) -> [UInt8] {
        var bytes = Array(TOMLParserTests.rows.randomElement(using: &generator)?.0.utf8 ?? "".utf8)
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            let removed = Int.random(in: 0...min(2, bytes.count - place), using: &generator)
            let piece = pieces.randomElement(using: &generator) ?? []
            bytes.replaceSubrange(place..<place + removed, with: piece)
        }
        // tomllib takes a byte order mark for a part of the text, which TOML leaves open.
        return bytes.starts(with: [0xEF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    private static let pieces: [[UInt8]] =
        [
            "\"", "'", "\"\"\"", "'''", "[", "]", "[[", "]]", "{", "}", ",", ".", "=", "\n", "\r\n", "\r", "#", "\\",
            "a", "b", " ", "1", "0", "_", "0x", "-", "true", "1.5", "1979-05-27", "\\u00e9", "\\u0000", "\\U0001F600",
            "\\uD800", "\u{0}", "é", "\t", "\u{7F}", "\\\n", "a = 1\n", "[a]\n", "[[a]]\n", "a.b = 1\n", "[a.b]\n",
            "[a.b.c]\n", "b.c = 1\n", "c = {}\n", "[[a.b]]\n",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80]]
}
