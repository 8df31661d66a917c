import Differential
import Encodings
import Foundation
import HeaderFields
import SigV4
import Testing
import UTCTime

/// Our signatures beside those of botocore, as `softhsm-tests/install` has installed it.
@Suite struct BotocoreTests {
    private struct Case: Encodable {
        let service: String
        let region: String
        let method: String
        let path: String
        let parameters: [[String]]
        let headers: [[String]]
        /// In hexadecimal.
        let body: String
        let timestamp: String
        let id: String
        let secret: String
        let token: String?
    }

    private static let python = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../.build-python/bin/python").standardized.path

    @Test("10,000 requests are signed as botocore signs them")
    func signatures() throws {
        var generator = SplitMix64(seed: 4)
        let times = (0..<10_000).map { _ in Int64.random(in: 946_684_800...4_102_444_799, using: &generator) }
        let cases = times.map { Self.make(at: $0, using: &generator) }
        let encoder = JSONEncoder()
        let lines = try cases.map { try encoder.encode($0) }.joined(separator: Data("\n".utf8))
        let answers = try Python.answers(
            """
            import json, sys
            from botocore.auth import SigV4Auth
            from botocore.awsrequest import AWSRequest
            from botocore.credentials import Credentials
            for line in sys.stdin:
                case = json.loads(line)
                request = AWSRequest(case["method"], "https://service.example" + case["path"],
                                     data=bytes.fromhex(case["body"]), params=[tuple(pair) for pair in case["parameters"]])
                for name, value in case["headers"]:
                    request.headers[name] = value
                request.headers["X-Amz-Date"] = request.context["timestamp"] = case["timestamp"]
                if "token" in case:
                    request.headers["X-Amz-Security-Token"] = case["token"]
                auth = SigV4Auth(Credentials(case["id"], case["secret"]), case["service"], case["region"])
                canonical = auth.canonical_request(request)
                text = auth.string_to_sign(request, canonical)
                print(json.dumps([canonical, text, auth.signature(text, request)]))
            """, to: Data(lines), by: Self.python)
        try #require(answers.count == cases.count)
        let decoder = JSONDecoder()
        for (seconds, (one, answer)) in zip(times, zip(cases, answers)) {
            let texts = try decoder.decode([String].self, from: Data(answer.utf8))
            let signed = try Self.sign(one, at: seconds)
            #expect(signed.canonicalRequest == texts[0])
            #expect(signed.stringToSign == texts[1])
            #expect(signed.headers.last?.value.hasSuffix(", Signature=" + texts[2]) == true)
        }
    }

    private static func sign(_ one: Case, at seconds: Int64) throws -> SignedRequest {
        let request = UnsignedRequest(
            service: one.service, region: one.region, method: one.method, path: one.path,
            query: CanonicalQuery.text(one.parameters.map { (key: $0[0], value: $0[1]) }),
            headers: one.headers.map { HeaderField(name: $0[0], value: $0[1]) },
            body: try #require(Hexadecimal.decode(one.body.utf8)))
        return AccessKey(id: one.id, secret: one.secret, sessionToken: one.token)
            .sign(request, at: seconds, with: .openssl)
    }

    private static func make(at seconds: Int64, using generator: inout SplitMix64) -> Case {
        let visible = Array("!\"#$%&'()*+,-./0123456789:;<=>?@ABCXYZ[\\]^_`abcxyz{|}~")
        let any = visible + Array(" éß漢🔑\u{301}")
        func text(_ characters: [Character], _ lengths: ClosedRange<Int>) -> String {
            String((0..<Int.random(in: lengths, using: &generator)).map { _ in generator.pick(characters) })
        }
        func several<Element>(_ counts: ClosedRange<Int>, _ make: () -> Element) -> [Element] {
            (0..<Int.random(in: counts, using: &generator)).map { _ in make() }
        }
        let segments = ["", ".", "..", "a", "b~c", "x y", "é", "%41", "a:b", "a+b=c", "*", "(1)", "@,;", "-_."]
        let names = ["content-type", "Content-Type", "X-Amz-Target", "x-amz-meta", "X-AMZ-META", "Accept", "a-b", "ab"]
        return Case(
            service: generator.pick(["sts", "iam", "acm-pca", "execute-api"]),
            region: generator.pick(["us-east-1", "eu-central-1", "us-gov-west-1"]),
            method: generator.pick(["GET", "POST", "PUT", "DELETE"]),
            path: "/" + several(0...6) { generator.pick(segments) }.joined(separator: "/"),
            parameters: several(0...5) {
                [generator.pick(["a", "A", "a b", "é", text(any, 1...4)]), text(any, 0...12)]
            },
            headers: [["Host", "service.example"]]
                + several(0...5) {
                    [generator.pick(names), text(visible + [" ", " "], 0...20)]
                },
            body: Hexadecimal.encode(several(0...80) { UInt8.random(in: 0...255, using: &generator) }),
            timestamp: UTCTime(secondsSince1970: seconds).basic, id: text(Array("AKIS234567"), 20...20),
            secret: text(visible, 1...60), token: generator.oneIn(2) ? text(visible, 1...400) : nil)
    }
}
