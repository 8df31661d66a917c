import Testing

@testable import AgentClient

@Suite("What a command of exec gets")
struct CommandEnvironmentTests {
    @Test(
        "Variables that lead to other credentials do not reach a command",
        arguments: [
            "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
            "AWS_CREDENTIAL_FILE",
            "AWS_DEFAULT_PROFILE", "AWS_PROFILE", "AWS_SDK_LOAD_CONFIG", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_ACCESS_KEY",
            "AWS_SECRET_KEY", "AWS_BEARER_TOKEN_BEDROCK", "TOKENWARD_PROFILE",
        ])
    func removed(name: String) throws {
        var environment = try CommandEnvironment(capacity: 100)
        try environment.set("TOKENWARD_PROFILE", "prod".utf8)
        let isKept = environment.keeps(name.utf8)
        #expect(!isKept)
    }

    @Test(
        "Regions, endpoints and files of configuration do",
        arguments: [
            "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_CA_BUNDLE", "AWS_EC2_METADATA_DISABLED", "AWS_VAULT_PROMPT", "PATH", "aws_profile", "",
        ])
    func kept(name: String) throws {
        let environment = try CommandEnvironment(capacity: 100)
        let isKept = environment.keeps(name.utf8)
        #expect(isKept)
    }

    @Test("A value with a zero byte, and one that does not fit, are refused")
    func refused() {
        func set(_ value: [UInt8]) throws(ClientFailure) {
            var environment = try CommandEnvironment(capacity: 0)
            try environment.set("A", value)
        }
        #expect { try set([0]) } throws: { ($0 as? ClientFailure)?.exit == .usage }
        #expect { try set([UInt8](repeating: 1, count: 5000)) } throws: { ($0 as? ClientFailure)?.exit == .software }
    }
}
