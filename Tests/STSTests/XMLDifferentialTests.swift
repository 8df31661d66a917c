import Differential
import Foundation
import Testing

@testable import STS

/// The reader beside Python's ElementTree, on documents that are nearly right.
@Suite struct XMLDifferentialTests {
    /// Prints for each document, a line of hexadecimal digits, its elements; `refused`; or why a strict reader refuses what
    /// Python takes. The reasons are looked for by expat itself, and by the tree.
    private static let judge = #"""
        import re, sys
        import xml.etree.ElementTree as ET
        from xml.parsers import expat

        def reasons_of(data):
            reasons = set()
            parser = expat.ParserCreate()
            def declared(version, encoding, standalone):
                if version != "1.0" or (encoding or "utf-8").lower() != "utf-8": reasons.add("unsupported")
            def unsupported(*_): reasons.add("unsupported")
            parser.XmlDeclHandler = declared
            for name in ["StartDoctypeDeclHandler", "CommentHandler", "ProcessingInstructionHandler",
                         "StartCdataSectionHandler"]:
                setattr(parser, name, unsupported)
            def named(name, attributes):
                for one in [name, *attributes]:
                    if ":" in one or not one.isascii(): reasons.add("unsupported")
            parser.StartElementHandler = named
            parser.Parse(data, True)
            try: data.decode("utf-8")
            except UnicodeDecodeError: reasons.add("utf8")
            if data[:1] not in b"< \t\r\n": reasons.add("mark")
            return reasons

        def look(element, reasons, depth=1):
            if depth > 8: reasons.add("much")
            if len({child.tag.split("}")[-1] for child in element}) < len(element): reasons.add("repeated")
            texts = [element.text or ""] + [child.tail or "" for child in element]
            if len(element) and any(text.strip(" \t\r\n") for text in texts): reasons.add("mixed")
            for child in element: look(child, reasons, depth + 1)

        def show(element):
            tag = element.tag.split("}")[-1]
            if len(element): return tag + "(" + "".join(show(child) for child in element) + ")"
            return tag + "=" + (element.text or "").encode().hex() + ";"

        for line in sys.stdin:
            data = bytes.fromhex(line)
            try: root = ET.fromstring(data)
            except ET.ParseError as error:
                # An undefined entity is a fault to expat, and a feature that is not supported to us.
                print("strict unsupported repeated mixed much utf8" if error.code == 11 else "refused")
                continue
            except LookupError:  # the encoding
                print("strict unsupported repeated mixed much utf8")
                continue
            reasons = reasons_of(data)
            look(root, reasons)
            if len(list(root.iter())) > 256: reasons.add("much")
            print("strict " + " ".join(reasons) if reasons else show(root))
        """#

    @Test(
        "Our reader takes what ElementTree takes, but for what is documented, and reads the same",
        arguments: [1, 2, 3, 4] as [UInt64])
    func elementTree(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let documents = (0..<5000).map { _ in Self.document(using: &generator) }
        let lines = documents.map { Self.hexadecimal($0) + "\n" }.joined()
        let verdicts = try Python.answers(Self.judge, to: Data(lines.utf8))
        try #require(verdicts.count == documents.count)
        var counts = [0, 0, 0]
        for (document, verdict) in zip(documents, verdicts) {
            let what = Comment(rawValue: String(decoding: document, as: UTF8.self).debugDescription)
            do throws(XMLFault) {
                #expect(try Self.shown(XMLReader.read(document.span)) == verdict, what)
                counts[0] += 1
            } catch {
                if verdict.hasPrefix("strict ") {
                    let reasons = verdict.dropFirst(7).split(separator: " ")
                    let names = reasons.map { Self.faults[String($0)] }
                    #expect(names.contains(error.reason) || error.reason == .unexpected, what)
                    counts[1] += 1
                } else {
                    #expect(verdict == "refused", what)
                    counts[2] += 1
                }
            }
        }
        #expect(counts.allSatisfy { $0 > 200 }, "the generator makes too few of a kind: \(counts)")
    }

    private static let faults: [String: XMLFault.Reason] = [
        "unsupported": .unsupported, "repeated": .repeatedName, "mixed": .mixedContent, "much": .tooMuch,
        "utf8": .notUTF8, "mark": .unexpected,
    ]

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func shown(_ element: XMLElement) -> String {
        if !element.children.isEmpty { return element.name + "(" + element.children.map(shown).joined() + ")" }
        return element.name + "=" + hexadecimal(element.text.utf8) + ";"
    }

    private static func document(using generator: inout SplitMix64) -> [UInt8] {
        let heads = ["", "", "", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "<?xml version='1.0'?>", "\n"]
        var bytes = Array(
            (generator.pick(heads) + element(depth: 1, using: &generator) + generator.pick(["", "\n"])).utf8)
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            let removed = Int.random(in: 0...min(2, bytes.count - place), using: &generator)
            bytes.replaceSubrange(place..<place + removed, with: generator.pick(pieces))
        }
        return bytes
    }

    private static func element(depth: Int, using generator: inout SplitMix64) -> String {
        let name = generator.pick(["Error", "Code", "Message", "A", "b", "c-d", "e.f", "_g"])
        let attribute = generator.pick([
            "", "", "", " xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"", " a='1' b = \"&lt;2\"", " ",
        ])
        if generator.oneIn(12) { return "<\(name)\(attribute)/>" }
        var content = ""
        if depth < 10, !generator.oneIn(3) {
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                content += generator.pick(["", "", "\n  "]) + element(depth: depth + 1, using: &generator)
            }
        } else {
            for _ in 0..<Int.random(in: 0...3, using: &generator) { content += generator.pick(texts) }
        }
        return "<\(name)\(attribute)>\(content)</\(name)\(generator.pick(["", "", "\n"]))>"
    }

    private static let texts = [
        "AccessDenied", "x", "é", "😀", "&lt;", "&gt;", "&amp;", "&apos;", "&quot;", "&#233;", "&#xe9;", "&#x1F600;",
        " ",
        "\n", "\r\n", "\r", "]]", "&#13;", "&#0000065;", "\u{7F}", "\u{85}",
    ]

    private static let pieces: [[UInt8]] =
        [
            "", "", "<", ">", "/", "&", ";", "&#", "&#x", "&#0;", "&#xD800;", "&#xFFFE;", "&#1114112;", "&nbsp;", "&lt",
            "]]>", "<!--x-->", "<![CDATA[x]]>", "<?p q?>", "<!DOCTYPE a>", "<!DOCTYPE a [<!ENTITY e 'x'>]>", "<a/>",
            "<a></a>", "x", "=", "'", "\"", " a=\"1\"", " a=\"1\" a=\"2\"", "a:", "xmlns:q='u'", "\u{0}", "\u{1}",
            "\u{FFFE}",
            "\u{FEFF}", "é", " ", "\n", "1", "-", ".", "<?xml version=\"1.1\"?>", "encoding=\"latin1\"",
            "standalone='yes'",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80]]
}
