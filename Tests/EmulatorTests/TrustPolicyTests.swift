import Foundation
import Testing

@testable import Emulator

@Suite("Trust policies")
struct TrustPolicyTests {
    private static let role = "arn:aws:iam::111122223333:role/source"

    private func policy(_ condition: String, effect: String = "Allow") throws -> TrustPolicy {
        let text = """
            {"Version": "2012-10-17", "Statement": [
              {"Effect": "Allow", "Principal": {"AWS": "\(Self.role)"}, "Action": "sts:Assume*", "Condition": {\(condition)}}
            ]}
            """
        return try JSONDecoder().decode(TrustPolicy.self, from: Data(text.utf8))
    }

    @Test(
        "Conditions hold as the policy reference says",
        arguments: [
            ("", true), (#""StringEquals": {"sts:ExternalId": "x1"}"#, true),
            (#""StringEquals": {"STS:externalid": ["x0", "x1"]}"#, true),
            (#""StringEquals": {"sts:ExternalId": "X1"}"#, false),
            (#""StringEqualsIgnoreCase": {"sts:ExternalId": "X1"}"#, true),
            (#""StringNotEquals": {"sts:ExternalId": "x1"}"#, false),
            (#""StringLike": {"sts:ExternalId": "?1"}"#, true), (#""StringLike": {"sts:ExternalId": "x*z"}"#, false),
            (#""StringEquals": {"aws:PrincipalTag/team": "a"}"#, false),
            (#""StringEqualsIfExists": {"aws:PrincipalTag/team": "a"}"#, true),
            (#""Bool": {"aws:MultiFactorAuthPresent": "true"}"#, false),
            (#""Bool": {"aws:MultiFactorAuthPresent": false}"#, false),
            (#""BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}"#, true),
            (#""Null": {"sts:SourceIdentity": "true"}"#, true), (#""Null": {"sts:ExternalId": "true"}"#, false),
            (#""ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b", "c"]}"#, true),
            (#""ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}"#, false),
            (#""ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}"#, true),
        ])
    func conditions(condition: String, holds: Bool) throws {
        let context = ["sts:externalid": ["x1"], "aws:tagkeys": ["a", "b"]]
        let policy = try policy(condition)
        #expect(policy.allows("sts:AssumeRole", to: [Self.role], in: context) == holds)
        #expect(!policy.allows("sts:TagSession", to: [Self.role], in: context))
        #expect(!policy.allows("sts:AssumeRole", to: [Self.role + "2"], in: context))
    }

    @Test("A statement that denies wins")
    func denies() throws {
        var policy = try policy("")
        policy.statements += [TrustPolicy.Statement(isAllow: false, principals: ["*"], actions: ["sts:*"])]
        #expect(!policy.allows("sts:AssumeRole", to: [Self.role], in: [:]))
    }

    @Test(
        "A policy with what is not known here is no configuration",
        arguments: [
            #""NumericEquals": {"sts:DurationSeconds": "1"}"#, #""StringEquals": {"sts:ExternalId": {}}"#,
        ])
    func unknown(condition: String) {
        #expect(throws: (any Error).self) { try policy(condition) }
    }
}
