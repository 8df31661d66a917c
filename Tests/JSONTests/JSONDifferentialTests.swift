import Differential
import Foundation
import Testing

@testable import JSON

/// The reader and the writer beside Python's `json`.
@Suite struct JSONDifferentialTests {
    private static let limits = JSONLimits(depth: 5)

    /// Prints for each text, a line of hexadecimal digits, its value; `refused`; or why a strict reader refuses what
    /// Python takes.
    private static let judge = """
        import json, sys

        def refuse(reasons):
            return lambda word: reasons.add("constant")

        def members(reasons):
            def hook(pairs):
                if len({name for name, _ in pairs}) < len(pairs): reasons.add("repeated")
                return dict(members=pairs)
            return hook

        class Number(str): pass

        def text(value, reasons):
            if any(0xD800 <= ord(c) < 0xE000 for c in value): reasons.add("surrogate")
            return '"' + value.encode("utf-8", "surrogatepass").hex()

        def show(value, reasons, depth=0):
            if isinstance(value, (dict, list)) and depth == 5: reasons.add("depth")
            if value is None: return "null"
            if value is True: return "true"
            if value is False: return "false"
            if isinstance(value, Number): return "#" + value
            if isinstance(value, str): return text(value, reasons)
            if isinstance(value, list): return "[" + "".join(show(v, reasons, depth + 1) + "," for v in value) + "]"
            pairs = [text(n, reasons) + ":" + show(v, reasons, depth + 1) + "," for n, v in value["members"]]
            return "{" + "".join(pairs) + "}"

        for line in sys.stdin:
            reasons = set()
            try:
                value = json.loads(
                    bytes.fromhex(line).decode(), parse_constant=refuse(reasons), parse_int=Number, parse_float=Number,
                    object_pairs_hook=members(reasons))
            except ValueError:
                print("refused")
                continue
            shown = show(value, reasons)
            print("strict " + " ".join(reasons) if reasons else shown)
        """

    @Test(
        "Our reader takes what Python takes, but for what is documented, and reads the same",
        arguments: [1, 2, 3, 4] as [UInt64])
    func reader(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let texts = (0..<5000).map { _ in Self.text(using: &generator) }
        let verdicts = try Python.answers(Self.judge, to: Self.lines(texts))
        try #require(verdicts.count == texts.count)
        var counts = [0, 0, 0]
        for (text, verdict) in zip(texts, verdicts) {
            let what = Comment(rawValue: String(decoding: text, as: UTF8.self).debugDescription)
            do throws(JSONFault) {
                let value = try JSONValue(text.span, limits: Self.limits)
                #expect(Self.shown(value) == verdict, what)
                counts[0] += 1
            } catch {
                if verdict.hasPrefix("strict ") {
                    let reasons = verdict.dropFirst(7).split(separator: " ")
                    #expect(reasons.contains { Self.faults[String($0)] == error.reason }, what)
                    counts[1] += 1
                } else {
                    #expect(verdict == "refused", what)
                    counts[2] += 1
                }
            }
        }
        #expect(counts.allSatisfy { $0 > 200 }, "the generator makes too few of a kind: \(counts)")
    }

    private static let faults: [String: JSONFault.Reason] = [
        "constant": .unexpected, "repeated": .repeatedName, "surrogate": .badString, "depth": .tooMuch,
    ]

    @Test("Each string that our writer writes is what Python reads, and has no control characters")
    func writer() throws {
        var generator = SplitMix64(seed: 5)
        let all = (0...0x2FF).map { String(Unicode.Scalar($0) ?? "?") }
        let strings = all + (0..<5000).map { _ in Self.string(using: &generator) }
        let texts = strings.map { string in
            var writer = JSONWriter()
            writer.beginArray()
            writer.string(string)
            writer.beginObject()
            writer.member(string, string)
            writer.name(string + "2")
            writer.integer(string.utf8.count)
            writer.endObject()
            writer.string(string)
            writer.endArray()
            return writer.finish()
        }
        for text in texts { #expect(text.allSatisfy { $0 >= 0x20 && $0 != 0x7F }) }
        let verdicts = try Python.answers(Self.judge, to: Self.lines(texts))
        try #require(verdicts.count == texts.count)
        for (string, verdict) in zip(strings, verdicts) {
            let value = JSONValue.string(string)
            let expected = JSONValue.array([
                value,
                .object([
                    JSONValue.Member(string, value), JSONValue.Member(string + "2", .number("\(string.utf8.count)")),
                ]), value,
            ])
            #expect(verdict == Self.shown(expected))
        }
    }

    @Test("Numbers, flags and nesting are written as Python reads them") func structure() throws {
        var writer = JSONWriter(capacity: 16)
        writer.beginObject()
        writer.name("a")
        writer.beginArray()
        writer.integer(Int64.min)
        writer.integer(UInt64.max)
        writer.boolean(true)
        writer.beginObject()
        writer.endObject()
        writer.beginArray()
        writer.endArray()
        writer.boolean(false)
        writer.endArray()
        writer.member("b", "c")
        writer.endObject()
        let verdict = try Python.answers(Self.judge, to: Self.lines([writer.finish()]))
        #expect(verdict == [#"{"61:[#-9223372036854775808,#18446744073709551615,true,{},[],false,],"62:"63,}"#])
    }

    private static func lines(_ texts: [[UInt8]]) -> Data {
        Data(texts.map { hexadecimal($0) + "\n" }.joined().utf8)
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// As `judge` prints it.
    private static func shown(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .boolean(let flag): "\(flag)"
        case .number(let text): "#" + text
        case .string(let text): "\"" + hexadecimal(text.utf8)
        case .array(let values): "[" + values.map { shown($0) + "," }.joined() + "]"
        case .object(let members):
            "{" + members.map { shown(.string($0.name)) + ":" + shown($0.value) + "," }.joined() + "}"
        }
    }

    /// A text that is valid, or nearly.
    private static func text(using generator: inout SplitMix64) -> [UInt8] {
        var bytes = Array(value(depth: 0, using: &generator).utf8)
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            let removed = Int.random(in: 0...min(2, bytes.count - place), using: &generator)
            let piece = pieces.randomElement(using: &generator) ?? []
            bytes.replaceSubrange(place..<place + removed, with: piece)
        }
        return bytes
    }

    private static func value(depth: Int, using generator: inout SplitMix64) -> String {
        let space = ["", "", "", " ", "\n", "\t\r "].randomElement(using: &generator) ?? ""
        let count = Int.random(in: 0...3, using: &generator)
        switch Int.random(in: depth > 6 ? 2...4 : depth == 0 ? 0...3 : 0...4, using: &generator) {
        case 0:
            let values = (0..<count).map { _ in value(depth: depth + 1, using: &generator) }
            return "[" + values.joined(separator: ",") + "]"
        case 1:
            let members = (0..<count).map { _ in
                space + "\"\(characters(using: &generator))\"" + space + ":"
                    + value(depth: depth + 1, using: &generator)
            }
            return "{" + members.joined(separator: ",") + space + "}"
        case 2: return space + "\"\(characters(using: &generator))\"" + space
        default: return space + (scalars.randomElement(using: &generator) ?? "") + space
        }
    }

    /// Short, so that names come twice.
    private static func characters(using generator: inout SplitMix64) -> String {
        (0..<Int.random(in: 0...3, using: &generator))
            .map { _ in spellings.randomElement(using: &generator) ?? "" }.joined()
    }

    private static func string(using generator: inout SplitMix64) -> String {
        var text = String.UnicodeScalarView()
        let bounds: [UInt32] = [0x20, 0x80, 0x800, 0x3000, 0x11_0000]
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            let bound = bounds.randomElement(using: &generator) ?? 1
            text.append(Unicode.Scalar(UInt32.random(in: 0..<bound, using: &generator)) ?? "\"")
        }
        return String(text)
    }

    private static let scalars = [
        "0", "-0", "12", "-1.5", "1e5", "0.25E-3", "123456789012345678901234567890", "1e400", "true", "false", "null",
        "NaN", "Infinity", "-Infinity", "01", "1.", ".5", "+1", "-", "tru",
    ]

    private static let spellings = [
        "a", "a", "b", "\\u0061", "é", "\\u00e9", "\\u00E9", "\\n", "\\\"", "\\\\", "\\/", "/", "😀",
        "\\ud83d\\ude00",
        "\u{7F}", "\\u0000", "\\ud83d", "\\ude00", "\u{2028}", " ",
    ]

    private static let pieces: [[UInt8]] =
        [
            "", "", "\"", "[", "]", "{", "}", ",", ":", "\\", "\\u", "1", "0", "-", "e", ".", " ", "\n", "\u{0}",
            "\u{1F}", "\u{FEFF}", "\u{A0}", "a", "null", "\"a\":1,", "\\ud800", "\\udc00", "\\x", "é", "😀", "/", "'",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]]
}
