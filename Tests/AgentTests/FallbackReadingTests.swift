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

    @Test("What is wrong is told, with the line and what to do", arguments: faults)
    func isRefused(_ row: FaultCase) throws {
        #expect(try ConfigurationFolder(row.text).faults() == row.faults)
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
            ProfileText.with("fallback = ['q']\n[profile.q]\n\(otherRole)"),
            "config.toml:5: fallback q has role arn:aws:iam::111122223333:role/other, and p has \(ProfileText.role); name "
                + "one with the same role, or write fallback-other-role = true"),
    ]
}
