import Testing

@testable import Agent

struct ConfigurationChangeTests {
    private static func configuration(_ text: String) throws -> Configuration { try ConfigurationFolder(text).load() }

    private static func profile(_ name: String, _ more: String = "") -> String {
        "[profile.\(name)]\n\(ProfileText.arns)\(more)\n"
    }

    @Test(
        "A profile has changed when it asks for another session or identity, whoever may use it and wherever it stands")
    func profiles() throws {
        let old = try Self.configuration(
            Self.profile("same") + Self.profile("allow", "allow.users = [1]") + Self.profile("gone")
                + Self.profile("session") + Self.profile("identity", "certificate-issuer = 'CN=a'"))
        let new = try Self.configuration(
            Self.profile("allow", "allow.users = [2]") + Self.profile("new") + Self.profile("same")
                + Self.profile("session", "session-duration-seconds = 900")
                + Self.profile("identity", "certificate-issuer = 'CN=b'"))
        #expect(
            new.changedProfiles(from: old) == Set(["session", "identity"].compactMap { ProfileName($0) }))
        #expect(new.changedProfiles(from: new).isEmpty)
    }
}
