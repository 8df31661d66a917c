import AWSNames
import RolesAnywhere
import Testing

@Suite struct SessionScopeTests {
    static func arns(
        _ anchor: String, _ profile: String, _ role: String
    ) throws -> (ARN, ARN, ARN) {
        (
            try ARN("arn:\(anchor):trust-anchor/x"), try ARN("arn:\(profile):profile/x"),
            try ARN("arn:\(role):role/x")
        )
    }

    @Test(
        "Resources of one region, partition and account make a scope",
        arguments: [
            ("aws", "eu-west-2"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1"),
            ("aws-iso-b", "us-isob-east-1"), ("aws-eusc", "eusc-de-east-1"), ("aws", "xx-new-1"),
            ("aws-new", "yy-new-1"),
        ])
    func agreement(partition: String, region: String) throws {
        let service = "\(partition):rolesanywhere:\(region):111122223333"
        let (anchor, profile, role) = try Self.arns(service, service, "\(partition):iam::111122223333")
        let scope = try SessionScope(trustAnchor: anchor, profile: profile, role: role)
        #expect(scope.region == region)
    }

    @Test(
        "Resources that do not agree are refused, and told apart",
        arguments: [
            (
                "aws:rolesanywhere:eu-west-2:111122223333", "aws:rolesanywhere:eu-west-1:111122223333",
                "aws:iam::111122223333",
                "the trust anchor is in region eu-west-2, the profile in eu-west-1: they must be in the same"
            ),
            (
                "aws:rolesanywhere:eu-west-2:111122223333", "aws:rolesanywhere:eu-west-2:999922223333",
                "aws:iam::111122223333",
                "the trust anchor is in account 111122223333, the profile in 999922223333: they must be in the same"
            ),
            (
                "aws:rolesanywhere:eu-west-2:111122223333", "aws:rolesanywhere:eu-west-2:111122223333",
                "aws:iam::999922223333",
                "the trust anchor is in account 111122223333, the role in 999922223333: they must be in the same"
            ),
            (
                "aws-cn:rolesanywhere:cn-north-1:111122223333", "aws-cn:rolesanywhere:cn-north-1:111122223333",
                "aws:iam::111122223333",
                "the trust anchor is in partition aws-cn, the role in aws: they must be in the same"
            ),
            (
                "aws:rolesanywhere:cn-north-1:111122223333", "aws:rolesanywhere:cn-north-1:111122223333",
                "aws:iam::111122223333",
                "region cn-north-1 belongs to partition aws-cn, the ARNs say aws"
            ),
            (
                "aws:rolesanywhere::111122223333", "aws:rolesanywhere::111122223333", "aws:iam::111122223333",
                "trust anchor arn:aws:rolesanywhere::111122223333:trust-anchor/x names no region"
            ),
        ])
    func disagreement(anchor: String, profile: String, role: String, message: String) throws {
        let (anchor, profile, role) = try Self.arns(anchor, profile, role)
        let error = #expect(throws: RequestFault.self) {
            try SessionScope(trustAnchor: anchor, profile: profile, role: role)
        }
        #expect(error?.message == message)
    }
}
