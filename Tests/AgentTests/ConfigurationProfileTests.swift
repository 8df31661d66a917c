import Testing

/// Profiles whose settings are well-formed and wrong.
struct ConfigurationProfileTests {
    @Test("A wrong profile is refused", arguments: profiles)
    func profilesAreRefused(_ row: FaultCase) throws {
        #expect(try ConfigurationFolder(ProfileText.with(row.text)).faults() == row.faults)
    }

    static let profiles = [
        FaultCase(
            "source = 'sso'",
            "config.toml:5: source is \"sso\"; give one of roles-anywhere, iot-core, assume-role, access-key"),
        FaultCase(
            "endpoint = 'https://a.credentials.iot.eu-west-1.amazonaws.com'",
            "config.toml:5: endpoint is IoT Core's; write source = \"iot-core\" for it, because the CA of IoT's "
                + "certificates can be no trust anchor of Roles Anywhere"),
        FaultCase("source = false", "config.toml:5: source is a boolean; give a string"),
        FaultCase(
            "certificate = 'client.pem'",
            "config.toml:5: certificate is \"client.pem\"; give a pkcs11: URI, or the absolute path of a file"),
        FaultCase(
            "certificate = 'https://example.com/c.pem'",
            "config.toml:5: certificate is \"https://example.com/c.pem\"; "
                + "give a pkcs11: URI, or the absolute path of a file"),
        FaultCase(
            "certificate = 'file:c.pem'\nprivate-key = 'pkcs11:id=%01'",
            "config.toml:5: certificate is \"c.pem\", which is relative; give an absolute path, from / on"),
        FaultCase(
            "certificate = 'pkcs11:object=a b'",
            "config.toml:5: certificate: column 16: a space must be escaped; write %20"),
        FaultCase(
            "certificate = 'pkcs11:object=a?pin-value=1234'",
            "config.toml:5: certificate holds a pin-value, which is refused because whoever reads the file learns the "
                + "PIN; use pin-source in [[token]], or run 'tokenward unlock'"),
        FaultCase(
            "certificate = '/c.pem'",
            "config.toml:1: [profile.p] has a certificate in a file and no private-key; add its pkcs11: URI"),
        FaultCase(
            "certificate = 'pkcs11:object=a;type=private'",
            "config.toml:5: certificate has type=private, and what it names is a cert; leave out type, or write type=cert"
        ),
        FaultCase(
            "certificate = ['pkcs11:object=a', 'pkcs11:type=data']",
            "config.toml:5: certificate has type=data, and what it names is a cert; leave out type, or write type=cert"),
        FaultCase(
            "certificate = '/c.pem'\nprivate-key = 'pkcs11:id=%01;type=public'",
            "config.toml:6: private-key has type=public, and what it names is a private; leave out type, or write type=private"
        ),
        FaultCase(
            "certificate = '/c.pem'\nprivate-key = '/k.pem'",
            "config.toml:6: private-key: column 1: this is no PKCS#11 URI; start it with 'pkcs11:', as in 'pkcs11:token=LABEL'"
        ),
        FaultCase(
            "certificate = '/c.pem'\nprivate-key = 'pkcs11:id=%01'\ncertificate-issuer = 'CN=a'",
            "config.toml:7: certificate-issuer chooses among certificates on tokens, and this one is a file; remove it"),
        FaultCase(
            "certificate-subject = ''", "config.toml:5: certificate-subject is empty; give a value, or remove the key"),
        FaultCase(
            "certificate-subject = '\(String(repeating: "a", count: 1025))'",
            "config.toml:5: certificate-subject has 1025 bytes; give at most 1024"),
        FaultCase(
            "certificate-issuer = 'Example Root'",
            "config.toml:5: certificate-issuer is \"Example Root\", which is no name (column 9: '=' is missing "
                + "after 'Example'); write it like \"CN=Example Root,O=Example\""),
        FaultCase("certificate-issuer = ['CN=a']", "config.toml:5: certificate-issuer is an array; give a string"),
        FaultCase(
            "certificate-serial = 1234",
            "config.toml:5: certificate-serial is an integer; give its digits as a string, in quotes"),
        FaultCase(
            "certificate-serial = '12 34'",
            "config.toml:5: certificate-serial is \"12 34\"; give decimal or hexadecimal digits"),
        FaultCase(
            "certificate-serial = '0x'",
            "config.toml:5: certificate-serial is \"0x\"; give decimal or hexadecimal digits"),
        FaultCase(
            "intermediates = 'i.pem'",
            "config.toml:5: intermediates is \"i.pem\", which is relative; give an absolute path, from / on"),
        FaultCase(
            "ca-bundle = '/etc/ssl/'", "config.toml:5: ca-bundle is \"/etc/ssl/\", which is a directory; give a file"),
        FaultCase(
            "session-duration-seconds = 899",
            "config.toml:5: session-duration-seconds is 899; give 900 to 43200"),
        FaultCase(
            "session-duration-seconds = 43201",
            "config.toml:5: session-duration-seconds is 43201; give 900 to 43200"),
        FaultCase(
            "session-duration-seconds = '1h'",
            "config.toml:5: session-duration-seconds is a string; give an integer"),
        FaultCase(
            "role-session-name = 'a b'",
            "config.toml:5: role-session-name is \"a b\"; give 2 to 64 letters, digits and _+=,.@-"),
        FaultCase(
            "role-session-name = 'a'",
            "config.toml:5: role-session-name is \"a\"; give 2 to 64 letters, digits and _+=,.@-"),
        FaultCase("instance-properties = 'a'", "config.toml:5: instance-properties is a string; give a table"),
        FaultCase(
            "instance-properties = { a = 1, b = 'c' }",
            "config.toml:5: instance-properties.a is an integer; give a string"),
        FaultCase(
            "instance-properties.'' = 'a'",
            "config.toml:5: instance-properties. has a name of 0 bytes; give 1 to 200"),
        FaultCase(
            "[profile.p.instance-properties]\n" + (1...51).map { "k\($0) = 'v'\n" }.joined(),
            "config.toml:5: instance-properties: give at most 50, with names and values of 1 to 200 characters"),
        FaultCase(
            "endpoint = 'http://example.com'",
            "config.toml:5: endpoint 'http://example.com': http is for 127.0.0.1, [::1] and localhost; use https"),
        FaultCase(
            "endpoint = 'ftp://example.com'",
            "config.toml:5: endpoint 'ftp://example.com': start it with https://"),
        FaultCase(
            "endpoint = 'https://u:p@example.com'",
            "config.toml:5: endpoint holds a user or a password; leave it out"),
        FaultCase("use-fips-endpoint = 'yes'", "config.toml:5: use-fips-endpoint is a string; give true or false"),
        FaultCase(
            "use-dualstack-endpoint = 1", "config.toml:5: use-dualstack-endpoint is an integer; give true or false"),
        FaultCase(
            "endpoint = 'https://example.com'\nuse-fips-endpoint = true",
            "config.toml:1: [profile.p]: an endpoint given by hand is neither FIPS nor dual-stack: name that host in it instead"
        ),
        FaultCase("allow = ['alice']", "config.toml:5: allow is an array; give a table"),
        FaultCase(
            "[profile.p.allow]",
            "config.toml:5: [profile.p.allow] is empty; add users or groups, or remove the table"),
        FaultCase(
            "[profile.p.allow]\nusers = [\n  'alice',\n  'bob',\n  'deploy',\n]\ngroups = ['alice']",
            "config.toml:8: users names \"bob\", and there is no such user; correct the name",
            "config.toml:9: users names \"deploy\", and there is no such user; correct the name",
            "config.toml:11: groups names \"alice\", and there is no such group; correct the name"),
        FaultCase(
            "allow.users = ['1001']",
            "config.toml:5: users names \"1001\", and there is no such user; write an id without quotes"),
        FaultCase("allow.users = 'alice'", "config.toml:5: users is a string; give an array"),
        FaultCase(
            "allow.users = [-1, 4294967295, 4294967296]",
            "config.toml:5: users holds -1, which is no user id; give 0 to 4294967294",
            "config.toml:5: users holds 4294967295, which is no user id; give 0 to 4294967294",
            "config.toml:5: users holds 4294967296, which is no user id; give 0 to 4294967294"),
        FaultCase(
            "allow.groups = [true, '']",
            "config.toml:5: groups holds a boolean; give names as strings, or ids as integers",
            "config.toml:5: groups is empty; give a value, or remove the key"),
    ]

    @Test("Wrong ARNs are refused, and ARNs that do not agree", arguments: arns)
    func arnsAreRefused(_ row: FaultCase) throws {
        #expect(try ConfigurationFolder("[profile.p]\n" + row.text).faults() == row.faults)
    }

    private static func arns(_ old: String, _ new: String) -> String {
        ProfileText.arns.split(separator: "\n").map {
            $0.hasPrefix(old.prefix { $0 != " " } + " ") ? "\(new)" : "\($0)"
        }.joined(separator: "\n")
    }

    static let arns = [
        FaultCase(
            arns("role-arn", "role-arn = 'admin'"),
            "config.toml:4: role-arn: 'admin' is not an ARN: write arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE"),
        FaultCase(
            arns("role-arn", "role-arn = \"\(ProfileText.profile)\""),
            "config.toml:4: role-arn: '\(ProfileText.profile)' is not a role ARN: "
                + "write arn:PARTITION:iam::ACCOUNT:role/NAME"),
        FaultCase(
            arns("profile-arn", "profile-arn = \"\(ProfileText.trustAnchor)\""),
            "config.toml:3: profile-arn: '\(ProfileText.trustAnchor)' is not a Roles Anywhere profile ARN: "
                + "write arn:PARTITION:rolesanywhere:REGION:ACCOUNT:profile/UUID"),
        FaultCase(
            arns("trust-anchor-arn", "trust-anchor-arn = 1"),
            "config.toml:2: trust-anchor-arn is an integer; give a string"),
        FaultCase(
            arns("role-arn", "role-arn = 'arn:aws:iam::444455556666:role/example'"),
            "config.toml:1: [profile.p]: the trust anchor is in account 111122223333, the role in 444455556666: "
                + "they must be in the same"),
        FaultCase(
            arns("role-arn", "role-arn = 'arn:aws-cn:iam::111122223333:role/example'"),
            "config.toml:1: [profile.p]: the trust anchor is in partition aws, the role in aws-cn: "
                + "they must be in the same"),
        FaultCase(
            arns(
                "profile-arn",
                "profile-arn = \"\(ProfileText.profile.split(separator: "eu-central-1").joined(separator: "us-east-1"))\""
            ),
            "config.toml:1: [profile.p]: the trust anchor is in region eu-central-1, the profile in us-east-1: "
                + "they must be in the same"),
    ]
}
