import AWSNames
import Differential
import Foundation
import HeaderFields
import STS
import SigV4
import Testing

/// The requests on the wire beside those of botocore.
@Suite struct STSRequestTests {
    private struct Parameters: Encodable {
        var RoleArn: String?
        var RoleSessionName: String?
        var DurationSeconds: Int
        var ExternalId: String?
        var Policy: String?
        var PolicyArns: [[String: String]]?
        var Tags: [[String: String]]?
        var TransitiveTagKeys: [String]?
        var SourceIdentity: String?
        var SerialNumber: String?
        var TokenCode: String?
    }

    /// Prints the form's pairs, sorted.
    private static let program = """
        from botocore.serialize import create_serializer
        from botocore.awsrequest import prepare_request_dict, create_request_object
        from urllib.parse import parse_qsl
        for line in sys.stdin:
            parameters = json.loads(line)
            operation = model.operation_model("AssumeRole" if "RoleArn" in parameters else "GetSessionToken")
            request = create_serializer("query").serialize_to_request(parameters, operation)
            prepare_request_dict(request, "https://sts.eu-west-2.amazonaws.com")
            prepared = create_request_object(request).prepare()
            pairs = parse_qsl(prepared.body, keep_blank_values=True)
            print(json.dumps([[request["method"], request["url_path"], prepared.headers["Content-Type"]]] + sorted(pairs)))
        """

    @Test("1,000 requests have the parameters that botocore sends")
    func botocore() throws {
        var generator = SplitMix64(seed: 7)
        var requests: [UnsignedRequest] = []
        var parameters: [Parameters] = []
        for _ in 0..<1000 {
            let (request, parameter) = try Self.make(using: &generator)
            requests.append(request)
            parameters.append(parameter)
        }
        let answers = try Botocore.answers(Self.program, to: parameters)
        try #require(answers.count == requests.count)
        for (request, answer) in zip(requests, answers) {
            var expected = try JSONDecoder().decode([[String]].self, from: Data(answer.utf8))
            #expect(expected.removeFirst() == [request.method, request.path, request.headers[0].value])
            #expect(try Self.pairs(request.body) == expected)
            #expect(request.headers.value(of: "Host") == "sts.eu-west-2.amazonaws.com")
            #expect(request.service == "sts" && request.region == "eu-west-2")
        }
    }

    /// The form of a body, sorted.
    private static func pairs(_ body: [UInt8]) throws -> [[String]] {
        try String(decoding: body, as: UTF8.self).split(separator: "&").map { pair in
            try pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                try #require(String($0).removingPercentEncoding)
            }
        }.sorted { $0[0] == $1[0] ? $0[1] < $1[1] : $0[0].utf8.lexicographicallyPrecedes($1[0].utf8) }
    }

    private static func make(using generator: inout SplitMix64) throws -> (UnsignedRequest, Parameters) {
        let service = try STSService(region: "eu-west-2")
        let hasMFA = generator.oneIn(3)
        let digits = (0..<6).map { _ in UInt8.random(in: 0x30...0x39, using: &generator) }
        let serial = "arn:aws:iam::111122223333:mfa/\(name(using: &generator))"
        let mfa = hasMFA ? try MFAProof(serial: serial, code: MFACode(digits.span)) : nil
        var parameters = Parameters(DurationSeconds: Int.random(in: 900...43_200, using: &generator))
        if hasMFA {
            parameters.SerialNumber = serial
            parameters.TokenCode = String(decoding: digits, as: UTF8.self)
        }
        if generator.oneIn(8) {
            let request = try GetSessionTokenRequest(
                durationSeconds: parameters.DurationSeconds, accountID: "111122223333", service: service)
            return (request.unsigned(mfa: mfa), parameters)
        }
        let role = try ARN("arn:aws:iam::444455556666:role/path/\(name(using: &generator))", as: .role)
        parameters.RoleArn = role.description
        parameters.RoleSessionName = name(using: &generator)
        if generator.oneIn(2) { parameters.ExternalId = "\(name(using: &generator)):/\(name(using: &generator))" }
        if generator.oneIn(2) { parameters.SourceIdentity = name(using: &generator) }
        if generator.oneIn(2) {
            parameters.Policy = #"{"Version": "2012-10-17", "ÿ": "\#(name(using: &generator))&%"}"#
        }
        let policies = (0..<Int.random(in: 0...10, using: &generator)).map { "arn:aws:iam::aws:policy/P\($0)" }
        if !policies.isEmpty { parameters.PolicyArns = policies.map { ["arn": $0] } }
        let tags = (0..<Int.random(in: 0...12, using: &generator)).map {
            ("k\($0 + 10) é", String(name(using: &generator).filter { $0 != "," }))
        }
        if !tags.isEmpty { parameters.Tags = tags.map { ["Key": $0.0, "Value": $0.1] } }
        let transitive = tags.map(\.0).filter { _ in generator.oneIn(2) }
        if !transitive.isEmpty { parameters.TransitiveTagKeys = transitive }
        let options = try AssumeRoleOptions(
            durationSeconds: parameters.DurationSeconds, externalID: parameters.ExternalId, policy: parameters.Policy,
            policyARNs: policies, tags: Dictionary(uniqueKeysWithValues: tags), transitiveTagKeys: transitive,
            sourceIdentity: parameters.SourceIdentity)
        let request = try AssumeRoleRequest(
            role: role, sessionName: parameters.RoleSessionName ?? "", options: options, service: service)
        return (request.unsigned(mfa: mfa), parameters)
    }

    private static func name(using generator: inout SplitMix64) -> String {
        let characters = Array("abcxyzABC0189_+=,.@-")
        return "n" + String((0..<Int.random(in: 1...20, using: &generator)).map { _ in generator.pick(characters) })
    }
}
