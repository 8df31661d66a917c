import AWSNames
import Testing

@Suite struct ARNTests {
    static let uuid = "a1b2c3d4-5678-90ab-cdef-111122223333"
    static let anchor = "arn:aws:rolesanywhere:ap-northeast-1:111122223333:trust-anchor/\(uuid)"
    static let profile = "arn:aws:rolesanywhere:ap-northeast-1:111122223333:profile/\(uuid)"
    static let role = "arn:aws:iam::111122223333:role/build"

    @Test("An ARN is taken apart at its first five colons")
    func parts() throws {
        let arn = try ARN("arn:aws-cn:rolesanywhere:cn-north-1:123456789012:trust-anchor/a:b")
        #expect(arn.partition == "aws-cn")
        #expect(arn.service == "rolesanywhere")
        #expect(arn.region == "cn-north-1")
        #expect(arn.account == "123456789012")
        #expect(arn.resource == "trust-anchor/a:b")
        #expect(arn.description == "arn:aws-cn:rolesanywhere:cn-north-1:123456789012:trust-anchor/a:b")
    }

    @Test(
        "An ARN of the kind that was asked for is taken",
        arguments: [
            (anchor, ARN.Kind.trustAnchor), (profile, .profile), (role, .role),
            ("arn:aws:rolesanywhere:us-east-1:111122223333:alias/trust-anchor/production-ca", .trustAnchor),
            ("arn:aws:rolesanywhere:us-east-1:111122223333:alias/profile/a/b_c", .profile),
            ("arn:aws-us-gov:iam::111122223333:role/service/a+b=c,d.e@f-g_h", .role),
            ("arn:aws-xyz:rolesanywhere:xy-far-1:111122223333:profile/\(uuid.uppercased())", .profile),
        ])
    func ofKind(text: String, kind: ARN.Kind) throws {
        #expect(try ARN(text, as: kind).description == text)
    }

    @Test(
        "An ARN of another kind or shape is refused",
        arguments: [
            (profile, ARN.Kind.trustAnchor), (anchor, .profile), (anchor, .role), (role, .profile),
            ("arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/test", .trustAnchor),
            ("arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/\(uuid)0", .trustAnchor),
            ("arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/\(uuid)/x", .trustAnchor),
            ("arn:aws:rolesanywhere::111122223333:trust-anchor/\(uuid)", .trustAnchor),
            ("arn:aws:rolesanywhere:us-east-1::trust-anchor/\(uuid)", .trustAnchor),
            ("arn:aws:rolesanywhere:us-east-1:111122223333:alias/profile/a", .trustAnchor),
            ("arn:aws:rolesanywhere:us-east-1:111122223333:alias/profile/", .profile),
            ("arn:aws:rolesanywhere:us-east-1:111122223333:alias/profile/1a", .profile),
            ("arn:aws:rolesanywhere:us-east-1:111122223333:alias/profile/a//b", .profile),
            ("arn:aws:rolesanywhere:us-east-1:111122223333:alias/profile/a/", .profile),
            ("arn:aws:iam:us-east-1:111122223333:role/build", .role),
            ("arn:aws:iam::aws:role/build", .role), ("arn:aws:iam::111122223333:user/build", .role),
            ("arn:aws:iam::111122223333:role/", .role), ("arn:aws:iam::111122223333:role//build", .role),
            ("arn:aws:iam::111122223333:role/a*", .role),
            ("arn:aws:iam::111122223333:role/\(String(repeating: "a", count: 65))", .role),
        ])
    func ofAnotherKind(text: String, kind: ARN.Kind) {
        #expect(throws: RequestFault.self) { try ARN(text, as: kind) }
    }

    @Test(
        "A text that is no ARN is refused with one line",
        arguments: [
            "", "arn", "arn:aws:iam::1", "arn:aws:iam::111122223333", "urn:aws:iam::111122223333:role/a",
            "arn::iam::111122223333:role/a", "arn:gcp:iam::111122223333:role/a", "arn:AWS:iam::111122223333:role/a",
            "arn:aws::us-east-1:111122223333:x", "arn:aws:s3:us_east:111122223333:x", "arn:aws:iam::11112222333:x",
            "arn:aws:iam::１11122223333:x", "arn:aws:iam::111122223333:", "arn:aws:iam::111122223333:role/a b",
            "arn:aws:iam::111122223333:role/a\nb", "arn:aws:iam::111122223333:role/\u{202E}a",
            "arn:aws:iam::111122223333:" + String(repeating: "x", count: 1000),
        ])
    func noARN(text: String) throws {
        let error = try #require(throws: RequestFault.self) { try ARN(text) }
        #expect(!error.message.isEmpty && !error.message.contains { $0.isNewline || $0 == "\u{202E}" })
    }

    @Test("The refusal shows the text and the form")
    func message() {
        let error = #expect(throws: RequestFault.self) { try ARN(Self.role, as: .trustAnchor) }
        #expect(
            error?.message == "'arn:aws:iam::111122223333:role/build' is not a trust anchor ARN: "
                + "write arn:PARTITION:rolesanywhere:REGION:ACCOUNT:trust-anchor/UUID")
    }
}
