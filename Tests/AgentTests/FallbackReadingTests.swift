import Testing

@testable import Agent

/// `fallback` of a profile, and what it may name.
struct FallbackReadingTests {
    private static let otherRegion = ProfileText.arns.split(separator: "eu-central-1").joined(separator: "us-east-1")
    private static let otherRole = ProfileText.arns.split(separator: "role/example").joined(separator: "role/other")

    @Test("One role in several regions is a profile for each region, and a fallback")
    func regions() throws {
        let configuration = try ConfigurationFolder(
            ProfileText.with("fallback = ['q', 'r']\n[profile.q]\n\(Self.otherRegion)[profile.r]\n\(Self.otherRegion)")
        ).load()
        let names = try ["p", "q", "r"].map { try #require(ProfileName($0)) }
        #expect(configuration.routes.fallbacks(of: names[0]) == [names[1], names[2]])
        #expect(configuration.routes.fallbacks(of: names[1]) == [])
        #expect(configuration.routes.withThoseTheyStandInFor([names[2]]) == [names[0], names[2]])
    }

    @Test("Another role is a fallback where that is wanted")
    func wantedRole() throws {
        let text = ProfileText.with("fallback = ['q']\nfallback-other-role = true\n[profile.q]\n\(Self.otherRole)")
        #expect(try ConfigurationFolder(text).faults() == [])
    }

    @Test("Fallbacks of bases are no fallbacks of fallbacks")
    func basesWithFallbacks() throws {
        let text =
            ProfileText.with("fallback = ['q']\n[profile.q]\n\(Self.otherRegion)") + Self.hop("a", "fallback = ['b']")
            + Self.hop("b")
        #expect(try ConfigurationFolder(text).faults() == [])
    }

    @Test("Layers of bases with fallbacks are refused where a caller could wait for too many")
    func layers() throws {
        var text = ProfileText.with("fallback = ['q']\n[profile.q]\n\(Self.otherRegion)")
        for layer in 1...4 {
            let base = layer == 1 ? "p" : "a\(layer - 1)"
            text += Self.hop("a\(layer)", "fallback = ['b\(layer)']", base: base) + Self.hop("b\(layer)", base: base)
        }
        let line =
            try #require(
                text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains("'b4'") }) + 1
        #expect(
            try ConfigurationFolder(text).faults() == [
                "config.toml:\(line): fallback makes more than 16 ways to a session, with the fallbacks of bases, and callers "
                    + "may wait for each; name fewer"
            ])
    }

    @Test(
        "A session without the policy, tags or identity of the one it stands in for is no fallback",
        arguments: [
            "policy = '{\"Statement\":[]}'", "policy-arns = ['arn:aws:iam::aws:policy/ReadOnlyAccess']",
            "tags = { team = 'a' }", "source-identity = 'somebody'",
        ])
    func otherBounds(setting: String) throws {
        let text = ProfileText.with("") + Self.hop("a", "fallback = ['b']\n\(setting)") + Self.hop("b")
        let line =
            try #require(
                text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains("'b'") }) + 1
        #expect(
            try ConfigurationFolder(text).faults() == [
                "config.toml:\(line): fallback b has another policy, policy-arns, tags or source-identity than a; give both "
                    + "the same, or write fallback-other-role = true"
            ])
        let both = ProfileText.with("") + Self.hop("a", "fallback = ['b']\n\(setting)") + Self.hop("b", setting)
        #expect(try ConfigurationFolder(both).faults() == [])
    }

    /// A profile that assumes a role.
    private static func hop(_ name: String, _ settings: String = "", base: String = "p") -> String {
        "[profile.\(name)]\nsource = 'assume-role'\nsource-profile = '\(base)'\n"
            + "role-arn = 'arn:aws:iam::111122223333:role/hop'\n\(settings)\n"
    }

    @Test("What is wrong is told, with the line and what to do", arguments: faults)
    func isRefused(_ row: FaultCase) throws {
        let faults = try ConfigurationFolder(row.text).faults()
        #expect(faults == row.faults)
    }

    private static let faults = [
        FaultCase(
            ProfileText.with("fallback = ['q']"),
            "config.toml:5: fallback names q, and there is no such profile; did you mean p?"),
        FaultCase(ProfileText.with("fallback = ['-']"), "config.toml:5: fallback is \"-\", which is no profile's name"),
        FaultCase(
            ProfileText.with("fallback = ['p']"),
            "config.toml:5: fallback leads back to where it began: p → p; let one of them name another"),
        FaultCase(
            ProfileText.with("fallback = ['q']\n[profile.q]\n\(ProfileText.arns)fallback = ['p']"),
            "config.toml:5: fallback leads back to where it began: p → q → p; let one of them name another"),
        FaultCase(
            ProfileText.with(
                "fallback = ['q']\nfallback-other-role = true\n[profile.q]\nsource = 'assume-role'\n"
                    + "source-profile = 'p'\nrole-arn = 'arn:aws:iam::444455556666:role/admin'"),
            "config.toml:5: fallback leads back to where it began: p → q → p; let one of them name another"),
        FaultCase(
            ProfileText.with(
                "fallback = ['q']\n[profile.q]\n\(ProfileText.arns)fallback = ['r']\n[profile.r]\n\(ProfileText.arns)"),
            "config.toml:5: fallback q has a fallback of its own; name one that has none, and give p those as well"),
        FaultCase(
            ProfileText.with("fallback = ['q']\n[profile.q]\n\(otherRole)"),
            "config.toml:5: fallback q has role arn:aws:iam::111122223333:role/other, and p has \(ProfileText.role); name "
                + "one with the same role, or write fallback-other-role = true"),
    ]
}
