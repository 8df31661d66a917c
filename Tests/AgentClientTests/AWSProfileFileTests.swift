import Testing

@testable import AgentClient

@Suite("Profiles in AWS' own files")
struct AWSProfileFileTests {
    private func has(_ name: String, _ text: String, isConfig: Bool) throws -> Bool {
        try settings(name, text, isConfig: isConfig) != nil
    }

    private func settings(_ name: String, _ text: String, isConfig: Bool) throws -> Set<String>? {
        try AWSProfileFile(Array(text.utf8), isConfig: isConfig).settings(of: ProfileArgument(name.utf8))
    }

    @Test(
        "A profile is found as botocore finds it in ~/.aws/config",
        arguments: ["[profile prod]", "a=1\n[profile  prod ] # x\r\nb=2", "[profile \"prod\"]\n", "[profile\tprod]"])
    func config(text: String) throws {
        #expect(try has("prod", text, isConfig: true))
        #expect(try !has("pro", text, isConfig: true))
    }

    @Test(
        "The section of another file, a comment and a nested line are none",
        arguments: ["[prod]", "#[profile prod]", " [profile prod]", "[profile prod", "[sso-session prod]"])
    func others(text: String) throws {
        #expect(try !has("prod", text, isConfig: true))
    }

    @Test("~/.aws/credentials has the bare name, and default has it in both")
    func credentials() throws {
        #expect(try has("prod", "[prod]\n", isConfig: false))
        #expect(try !has("prod", "[profile prod]\n", isConfig: false))
        #expect(try has("default", "[default]", isConfig: true) && has("default", "[default]", isConfig: false))
        #expect(try has("default", "[profile default]", isConfig: true))
    }

    @Test("The settings are those of all sections of the name, without comments and nested lines")
    func settings() throws {
        let text = """
            region = a
            [profile prod]
            # role_arn = x
            Credential_Process=a b
             nested = x
            [other]
            sso_session = x
            [profile prod]\r
            AWS_ACCESS_KEY_ID : x
            ; sso_start_url = x
            """
        #expect(try settings("prod", text, isConfig: true) == ["credential_process", "aws_access_key_id"])
        #expect(try settings("other", text, isConfig: true) == nil)
    }
}

/// botocore 1.43, `ProfileProviderBuilder.providers` and `create_credential_resolver`; AWS SDK for Go 2,
/// `config.resolveCredsFromProfile`.
@Suite("Where a profile of AWS' files has its credentials")
struct ProfileOriginTests {
    @Test("Of a program, where nothing comes before it")
    func program() {
        #expect(ProfileOrigin(["credential_process", "region", "source_profile"]) == .program)
        #expect(ProfileOrigin(["region"]) == .elsewhere)
        #expect(ProfileOrigin([]) == .elsewhere)
    }

    @Test(
        "Programs follow these first",
        arguments: ["role_arn", "web_identity_token_file", "sso_session", "sso_start_url", "aws_access_key_id"])
    func before(setting: String) {
        #expect(ProfileOrigin(["credential_process", setting]) == .setting(setting))
    }
}
