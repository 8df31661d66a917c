import Testing

@testable import Agent

/// The keys of a profile whose source is access-key.
struct AccessKeyReadingTests {
    /// Reads the keys by themselves, in a table that begins in line 1.
    private static func read(_ text: String) throws -> (key: TokenAccessKey?, faults: [String]) {
        let faults = FaultList()
        let entries = try #require(TOMLParser.parse(Array(text.utf8)) { _ in })
        var table = TableReader(entries, title: "[profile.p]", at: ("config.toml", 1), faults: faults)
        let key = TokenAccessKey(reading: &table)
        table.refuseUnknownKeys()
        return (key, faults.error.faults.map { "\($0)" })
    }

    private static let usual = """
        access-key-id = "AKIAIOSFODNN7EXAMPLE"
        secret-key = "pkcs11:token=hsm;object=aws-legacy;type=secret-key"

        """

    @Test("An id and a secret key are enough; region and duration may be given")
    func isRead() throws {
        let plain = try Self.read(Self.usual)
        #expect(plain.faults == [])
        #expect(plain.key?.id == "AKIAIOSFODNN7EXAMPLE")
        #expect(plain.key.map { "\($0.secretKey)" } == "pkcs11:token=hsm;object=aws-legacy;type=secret-key")
        #expect(plain.key?.request.durationSeconds == 3600)
        #expect(plain.key?.request.service.url == "https://sts.us-east-1.amazonaws.com/")
        let other = try Self.read(Self.usual + "region = 'cn-north-1'\nsession-duration-seconds = 129600").key
        #expect(other?.request.service.url == "https://sts.cn-north-1.amazonaws.com.cn/")
        #expect(other?.request.durationSeconds == 129_600)
    }

    @Test("A device makes sessions longer, and tells the account where it has an ARN")
    func device() throws {
        let person = try Self.read(Self.usual + "mfa-serial = 'arn:aws:iam::111122223333:mfa/alice'")
        #expect(person.faults == [])
        #expect(person.key?.mfa == MFADevice(serial: "arn:aws:iam::111122223333:mfa/alice", program: []))
        #expect(person.key?.request.durationSeconds == 43_200)
        #expect(person.key?.request.accountID == "111122223333")
        let program = try Self.read(
            Self.usual + "mfa-serial = 'GAHT12345678'\nmfa-process = ['/usr/bin/ykman', '', 'a b; $c']")
        #expect(program.faults == [])
        #expect(program.key?.mfa?.program == ["/usr/bin/ykman", "", "a b; $c"])
        #expect(program.key?.request.accountID == nil)
    }

    @Test("A role over it may name the same device, and no other")
    func roleWithDevice() throws {
        let role = """
            [profile.r]
            source = "assume-role"
            source-profile = "k"
            role-arn = "arn:aws:iam::111122223333:role/admin"
            mfa-serial = "GAHT12345678"
            """
        let key = "[profile.k]\nsource = 'access-key'\n" + Self.usual
        #expect(
            try ConfigurationFolder(key + "mfa-serial = 'GAHT12345678'\n" + role).load().profiles.count == 2)
        #expect(
            try ConfigurationFolder(key + role).faults() == [
                "config.toml:9: mfa-serial is \"GAHT12345678\", and source-profile k has none; give k the same, because one "
                    + "code opens its session for all roles"
            ])
    }

    @Test("A missing or wrong key is told of, and what may be a secret is not repeated", arguments: faults)
    func isRefused(_ row: FaultCase) throws {
        #expect(try Self.read(row.text).faults == row.faults)
    }

    private static let faults = [
        FaultCase(
            "", "config.toml:1: [profile.p] has no access-key-id; add it",
            "config.toml:1: [profile.p] has no secret-key; add it"),
        FaultCase(
            "access-key-id = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY'\nsecret-key = 'wJalrXUtnFEMI/K7MDENG'",
            "config.toml:1: access-key-id is no access key's id; give its 16 to 128 capital letters and digits, such as AKIA…",
            "config.toml:2: secret-key is no pkcs11: URI; give that of the secret key on the token, and never the secret itself"
        ),
        FaultCase(
            "access-key-id = 'ASIAIOSFODNN7EXAMPLE'\nsecret-key = 'pkcs11:object=a;type=private'",
            "config.toml:1: access-key-id is that of a session; give an IAM user's, which begins with AKIA",
            "config.toml:2: secret-key names no secret key; write type=secret-key"),
        FaultCase(
            usual + "session-duration-seconds = 129601",
            "config.toml:3: session-duration-seconds is 129601; give 900 to 129600"),
        FaultCase(
            usual + "mfa-process = ['ykman']",
            "config.toml:3: mfa-process gives codes of a device that mfa-serial names; add that",
            "config.toml:3: mfa-process begins with \"ykman\"; give an absolute path, from / on: no shell looks it up"),
        FaultCase(
            usual + "mfa-serial = 'short'\nmfa-process = []",
            "config.toml:3: mfa-serial 'short': give the device's ARN, or 9 to 256 letters, digits or _+=/:,.@-",
            "config.toml:4: mfa-process is empty; give a program and its arguments"),
        FaultCase(
            usual + "secret-keys = 'wJalrXUtnFEMI'",
            "config.toml:3: unknown key \"secret-keys\" in [profile.p]; did you mean \"secret-key\"?"),
        FaultCase(
            "access-key-id = 'AKIAIOSFODNN7EXAMPLE'\nsecret-key = 'pkcs11:token=hsm'",
            "config.toml:2: secret-key names no key; add its object= or id="),
        FaultCase(
            usual + "region = 'x y'", "config.toml:3: region is \"x y\"; give a region, such as eu-central-1"),
    ]
}
