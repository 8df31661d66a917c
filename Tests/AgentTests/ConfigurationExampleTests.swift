import Foundation
import Prompts
import Testing
import Tokens

@testable import Agent

/// The example that ships works as it is, and with everything in it turned on.
struct ConfigurationExampleTests {
    private static let text: String? = {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/Agent/Configuration/config.example.toml")
        return try? String(contentsOf: source, encoding: .utf8)  // the tests below require it
    }()

    @Test("As it ships it has one profile")
    func asShipped() throws {
        let configuration = try ConfigurationFolder(try #require(Self.text)).load()
        #expect(configuration.modules.isEmpty)
        #expect(configuration.tokens.isEmpty)
        #expect(configuration.profiles.keys.map(\.description) == ["example"])
    }

    @Test("With all its settings turned on it is valid, and what it calls a default is one")
    func inFull() throws {
        let text = try #require(Self.text)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("#") && !line.hasPrefix("# ") && line != "#" ? line.dropFirst() : line
        }
        let configuration = try ConfigurationFolder(lines.joined(separator: "\n")).load()
        #expect(configuration.lockOn == LockEvent.usual(for: .user))
        #expect(configuration.modules.map(\.sessions) == [2, 2])
        #expect(configuration.modules.map(\.timeouts) == [.init(), .init()])
        #expect(configuration.tokens.map(\.pinSource) == [.prompt])
        #expect(configuration.tokens.map(\.pinLifetimeSeconds) == [28_800])
        #expect(configuration.prompt == PromptSettings(program: "/usr/bin/pinentry-curses", timeoutSeconds: 40))
        let profile = try #require(configuration.profiles.first { "\($0.key)" == "example" }?.value)
        #expect(profile.session?.options.durationSeconds == 3600)
        #expect(profile.session?.endpoint.url == "https://rolesanywhere.eu-central-1.amazonaws.com")
        #expect(profile.allow == AllowList(users: [1001], groups: [2001]))
        #expect(configuration.profiles.count == 5)
        #expect(
            configuration.listeners == [
                ListenerConfiguration(
                    .socket(SocketFile(path: "/run/tokenward/build/agent.sock", mode: 0o660, group: 2001)),
                    profiles: Set(["example"].compactMap { ProfileName($0) }),
                    allow: AllowList(users: [1001], groups: [2001])),
                ListenerConfiguration(
                    .containerCredentials(
                        try #require(LoopbackAddress("127.0.0.1:9910")),
                        TokenFileSetting(path: "/run/tokenward/example.token", readers: [1001])),
                    profiles: Set(["example"].compactMap { ProfileName($0) }), allow: AllowList(users: [1001])),
            ])
    }

    @Test(
        "Every key stands in it",
        arguments: [
            "path", "name", "environment", "sessions", "list-timeout-seconds", "login-timeout-seconds",
            "sign-timeout-seconds", "touch-timeout-seconds", "uri", "pin-source", "pin-lifetime-seconds", "touch",
            "reserved-pins", "program", "timeout-seconds", "notify", "source",
            "access-key-id", "secret-key", "mfa-serial", "mfa-process", "role-alias", "thing-name", "certificate",
            "private-key", "certificate-subject", "certificate-issuer",
            "certificate-serial",
            "intermediates", "trust-anchor-arn", "profile-arn", "role-arn", "session-duration-seconds",
            "role-session-name", "instance-properties", "endpoint", "use-fips-endpoint", "use-dualstack-endpoint",
            "ca-bundle", "users", "groups", "gestures", "lock-on", "kind", "profiles", "address", "token-file",
            "readers",
            "mode", "group", "allow",
        ])
    func complete(_ key: String) throws {
        let lines = try #require(Self.text).split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("\(key) = ") || $0.hasPrefix("#\(key) = ") })
    }
}
