import AWSNames
import Differential
import STS
import Testing

/// The texts' rules beside those of botocore's model of STS.
@Suite struct RequestTextTests {
    private struct Case: Encodable {
        let shape: String
        let text: String
    }

    private static let shapes: [(RequestText, String)] = [
        (.roleSessionName, "roleSessionNameType"), (.externalID, "externalIdType"),
        (.sourceIdentity, "sourceIdentityType"), (.mfaSerial, "serialNumberType"), (.tagKey, "tagKeyType"),
        (.tagValue, "tagValueType"), (.policy, "unrestrictedSessionPolicyDocumentType"),
    ]

    /// Python's `re` has no classes of Unicode: they are spelt out, and `\\w` means ASCII, as in Java.
    private static let program = #"""
        import re, unicodedata
        for line in sys.stdin:
            case = json.loads(line)
            shape = model.shape_for(case["shape"])
            pattern = shape.metadata["pattern"] if "pattern" in shape.metadata else shape._shape_model["pattern"]
            classes = "".join({unicodedata.category(c)[0] for c in case["text"]})
            if "\\p{L}" in pattern:
                fits = all(unicodedata.category(c)[0] in "LZN" or c in "_.:/=+-@" for c in case["text"])
            else:
                fits = re.fullmatch(pattern, case["text"], re.ASCII) is not None
            count = len(case["text"])
            low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 16384)
            print(fits and low <= count <= high)
        """#

    @Test("Each text has the length and the characters of AWS' model")
    func model() throws {
        var generator = SplitMix64(seed: 11)
        var cases: [(RequestText, Case)] = []
        for (rule, shape) in Self.shapes {
            for _ in 0..<400 { cases.append((rule, Case(shape: shape, text: Self.text(using: &generator)))) }
            for count in [0, 1, 2, 8, 9, 64, 65, 128, 129, 256, 257, 1224, 1225] {
                cases.append((rule, Case(shape: shape, text: String(repeating: "a", count: count))))
            }
        }
        let verdicts = try Botocore.answers(Self.program, to: cases.map(\.1))
        try #require(verdicts.count == cases.count)
        var accepted = 0
        for ((rule, one), verdict) in zip(cases, verdicts) where !one.text.lowercased().hasPrefix("aws:") {
            let isTaken = (try? rule.check(one.text)) != nil  // the fault's words are tested below
            #expect(isTaken == (verdict == "True"), "\(one.shape) \(one.text.debugDescription)")
            if isTaken { accepted += 1 }
        }
        #expect((500...2500).contains(accepted), "\(accepted)")
    }

    @Test("A refusal begins with the setting, quotes the text harmlessly and says what to give")
    func words() throws {
        let fault = try #require(throws: RequestFault.self) { try RequestText.externalID.check("a b\u{1B}") }
        #expect(fault.message == "external-id 'a b': give 2 to 1224 letters, digits or _+=,.@:/-")
        let reserved = try #require(throws: RequestFault.self) { try RequestText.tagKey.check("AWS:x") }
        #expect(reserved.message == "tags 'AWS:x': names that begin with aws: are AWS' own")
    }

    private static func text(using generator: inout SplitMix64) -> String {
        let usual = Array("abcXYZ019_+=,.@:/-").map(String.init)
        let others = [
            " ", "é", "ÿ", "Ā", "٣", "\u{2028}", "\u{A0}", "\t", "\n", "\r", "\u{1}", "\u{7F}", "*", "\"", "漢", "😀",
            "\u{301}",
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0...14, using: &generator) {
            text += generator.oneIn(12) ? generator.pick(others) : generator.pick(usual)
        }
        return text
    }
}
