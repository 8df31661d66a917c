import STS
import Testing

@testable import Agent

/// Profiles whose source is assume-role.
struct AssumeRoleReadingTests {
    private static let role = "arn:aws:iam::444455556666:role/admin"

    /// A profile `p` of Roles Anywhere in lines 1 to 4, and a profile `a` from line 5 on, its keys from line 9.
    private static func text(_ more: String, base: String = "p", role: String = role) -> String {
        ProfileText.with(
            """
            [profile.a]
            source = "assume-role"
            source-profile = "\(base)"
            role-arn = "\(role)"
            \(more)
            """)
    }

    private static func role(_ text: String, of name: String = "a") throws -> AssumeRole {
        guard case .assumeRole(let role) = try ConfigurationFolder(text).profile(name).source else {
            throw SourceError()
        }
        return role
    }

    private struct SourceError: Error {}

    @Test("A source profile and a role are enough: an hour, in the region of the root, under the profile's own name")
    func defaults() throws {
        let role = try Self.role(Self.text(""))
        #expect("\(role.base)" == "p")
        #expect(role.request.roleARN.description == Self.role)
        #expect(role.request.roleSessionName == "tokenward-a")
        #expect(role.request.options == (try AssumeRoleOptions()))
        #expect(role.request.service.url == "https://sts.eu-central-1.amazonaws.com/")
    }

    @Test("Every setting is read")
    func inFull() throws {
        let role = try Self.role(
            Self.text(
                """
                session-duration-seconds = 900
                role-session-name = "build-7"
                external-id = "id:1/2"
                policy = '''
                {"Version": "2012-10-17",
                 "Statement": []}'''
                policy-arns = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
                tags = { team = "build", empty = "" }
                transitive-tag-keys = ["team"]
                source-identity = "alice"
                region = "us-east-1"
                endpoint = "http://127.0.0.1:8080/sts"
                """))
        #expect(role.request.roleSessionName == "build-7")
        #expect(
            role.request.options
                == (try AssumeRoleOptions(
                    durationSeconds: 900, externalID: "id:1/2",
                    policy: "{\"Version\": \"2012-10-17\",\n \"Statement\": []}",
                    policyARNs: ["arn:aws:iam::aws:policy/ReadOnlyAccess"], tags: ["team": "build", "empty": ""],
                    transitiveTagKeys: ["team"], sourceIdentity: "alice")))
        #expect(role.request.service.region == "us-east-1")
        #expect(role.request.service.url == "http://127.0.0.1:8080/sts/")
    }

    @Test(
        "FIPS and dual-stack endpoints are asked for by key",
        arguments: [
            ("use-fips-endpoint = true", "https://sts-fips.eu-central-1.amazonaws.com/"),
            ("use-dualstack-endpoint = true", "https://sts.eu-central-1.api.aws/"),
        ])
    func endpoints(_ more: String, _ url: String) throws {
        #expect(try Self.role(Self.text(more)).request.service.url == url)
    }

    @Test("A chain is read whatever the order of its profiles, and knows who depends on whom")
    func chains() throws {
        let top = "[profile.top]\nsource = 'assume-role'\nsource-profile = 'a'\nrole-arn = '\(Self.role)'\n"
        let configuration = try ConfigurationFolder(top + Self.text("region = 'us-east-1'")).load()
        let names = try ["top", "a", "p"].map { try #require(ProfileName($0)) }
        #expect(configuration.routes.bases(of: names[0]) == [names[1], names[2]])
        #expect(configuration.routes.withDependents([names[1]]) == [names[0], names[1]])
        // Of the root, not of the hop between.
        let role = try Self.role(top + Self.text("region = 'us-east-1'"), of: "top")
        #expect(role.request.service.region == "eu-central-1")
    }

    @Test("A change of the root's session changes all that is made of it")
    func changes() throws {
        let old = try ConfigurationFolder(Self.text("")).load()
        let new = try ConfigurationFolder(Self.text("external-id = 'other'")).load()
        #expect(new.changedProfiles(from: old).map(\.description) == ["a"])
    }

    @Test("What is wrong is told, with the line and what to do", arguments: faults)
    func isRefused(_ row: FaultCase) throws {
        #expect(try ConfigurationFolder(row.text).faults() == row.faults)
    }

    private static let faults = [
        FaultCase(
            ProfileText.with("[profile.a]\nsource = 'assume-role'"),
            "config.toml:5: [profile.a] has no source-profile; add it",
            "config.toml:5: [profile.a] has no role-arn; add it"),
        FaultCase(
            text("", base: "prod"),
            "config.toml:7: source-profile names prod, and there is no such profile; add it, or correct the name"),
        FaultCase(
            text("[profile.production]\n\(ProfileText.arns)", base: "productoin"),
            "config.toml:7: source-profile names productoin, and there is no such profile; did you mean production?"),
        FaultCase(
            text("", base: "a"),
            "config.toml:7: source-profile leads back to where it began: a → a; let one of them name another"),
        FaultCase(
            text("[profile.b]\nsource = 'assume-role'\nsource-profile = 'a'\nrole-arn = '\(role)'", base: "b"),
            "config.toml:7: source-profile leads back to where it began: a → b → a; let one of them name another"),
        FaultCase(
            text("", role: "arn:aws-cn:iam::444455556666:role/admin"),
            "config.toml:8: role-arn is in partition aws-cn, and the sessions of p are of aws, which have no role in "
                + "another; name a role in aws"),
        FaultCase(
            text("region = 'cn-north-1'"),
            "config.toml:5: [profile.a]: role-arn is in partition aws, region cn-north-1 in aws-cn: credentials of one "
                + "partition are unknown in another"),
        FaultCase(
            text("session-duration-seconds = 7200"),
            "config.toml:9: session-duration-seconds is 7200, and AWS limits a role that is assumed by a session to one "
                + "hour; give 900 to 3600"),
        FaultCase(
            text("mfa-serial = 'arn:aws:iam::444455556666:mfa/alice'"),
            "config.toml:9: mfa-serial asks for the code of an IAM user, and source-profile p is no access key: its sessions "
                + "take no MFA; remove it, and where a certificate begins the chain, let the role's trust policy ask for its "
                + "attributes (aws:PrincipalTag/x509Subject/CN) in place of aws:MultiFactorAuthPresent"),
        FaultCase(
            text("mfa-process = ['/usr/bin/mfa']"),
            "config.toml:9: mfa-process belongs to the profile whose source is access-key, because one code opens its "
                + "session for all roles; move it there, with mfa-serial"),
        FaultCase(
            text("external-id = 'a b'\nregion = 'EU'"),
            "config.toml:9: external-id 'a b': give 2 to 1224 letters, digits or _+=,.@:/-",
            "config.toml:10: region is \"EU\"; give a region, such as eu-central-1"),
        FaultCase(text("policy = '['"), "config.toml:9: policy is no JSON object (byte 1)"),
        FaultCase(
            text("tags = { a = 'b' }\ntransitive-tag-keys = ['c']"),
            "config.toml:10: transitive-tag-keys 'c' is no key of tags"),
        FaultCase(
            text("endpoint = 'https://example.com'\nuse-fips-endpoint = true"),
            "config.toml:5: [profile.a]: an endpoint given by hand is neither FIPS nor dual-stack: name that host in it "
                + "instead"),
        FaultCase(
            text("certificate = 'pkcs11:token=a'"),
            "config.toml:9: unknown key \"certificate\" in [profile.a]; it takes source, source-profile, role-arn, "
                + "session-duration-seconds, role-session-name, external-id, policy, policy-arns, tags, "
                + "transitive-tag-keys, source-identity, mfa-serial, mfa-process, region, endpoint, use-fips-endpoint, "
                + "use-dualstack-endpoint, ca-bundle, allow, fallback, fallback-other-role"),
    ]
}
