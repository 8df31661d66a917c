import Testing

@testable import Agent

/// `[[listener]]`.
struct ConfigurationListenerTests {
    private static func text(_ more: String, profiles: String = "['p']") -> String {
        "[[listener]]\nkind = 'socket'\npath = '/run/x.sock'\nprofiles = \(profiles)\n\(more)\n" + ProfileText.with("")
    }

    @Test("A socket for a consumer is read, with what is usual where nothing is said")
    func socket() throws {
        let name = try #require(ProfileName("p"))
        #expect(
            try ConfigurationFolder(Self.text("")).load().listeners == [
                ListenerConfiguration(path: "/run/x.sock", mode: 0o600, profiles: [name])
            ])
        #expect(
            try ConfigurationFolder(Self.text("group = 'deploy'")).load().listeners == [
                ListenerConfiguration(path: "/run/x.sock", mode: 0o660, group: 2001, profiles: [name])
            ])
        #expect(
            try ConfigurationFolder(Self.text("mode = '0666'\nallow = { users = ['alice'] }")).load().listeners == [
                ListenerConfiguration(
                    path: "/run/x.sock", mode: 0o666, profiles: [name], allow: AllowList(users: [1001], groups: []))
            ])
    }

    @Test("A wrong listener is told of", arguments: faults)
    func isRefused(_ row: FaultCase) throws {
        #expect(try ConfigurationFolder(row.text).faults() == row.faults)
    }

    private static let faults = [
        FaultCase("[[listener]]", "config.toml:1: [[listener]] has no kind; add it"),
        FaultCase(
            "[[listener]]\nkind = 'imds'\naddress = '127.0.0.1:1'",
            "config.toml:2: kind is \"imds\", which this version does not serve yet; use \"socket\""),
        FaultCase("[[listener]]\nkind = 'tcp'", "config.toml:2: kind is \"tcp\"; give \"socket\""),
        FaultCase(
            "[[listener]]\nkind = 'socket'", "config.toml:1: [[listener]] has no path; add it",
            "config.toml:1: [[listener]] has no profiles; add it"),
        FaultCase(
            "[[listener]]\nkind = 'socket'\npath = 'x.sock'\nprofiles = []",
            "config.toml:3: path is \"x.sock\", which is relative; give an absolute path, from / on",
            "config.toml:4: profiles is empty; name the profiles that are served there"),
        FaultCase(
            text("", profiles: "['p', '-']"), "config.toml:4: profiles holds \"-\", which is no profile's name"),
        FaultCase(
            text("", profiles: "['q']"),
            "config.toml:1: profiles of [[listener]] names q, and there is no such profile; add it, or correct the name"
        ),
        FaultCase(
            text("mode = '0777'"),
            "config.toml:5: mode is \"0777\"; give a file mode such as \"0600\", \"0660\" or \"0666\""),
        FaultCase(text("mode = 0o660"), "config.toml:5: mode is an integer; give a string"),
        FaultCase(
            text("group = 'nobody'"),
            "config.toml:5: group names \"nobody\", and there is no such group; correct the name"),
        FaultCase(
            text("allow = {}"),
            "config.toml:5: allow of [[listener]] is empty; add users or groups, or remove the table"),
        FaultCase(
            text("allow = { users = [1], gestures = true }"),
            "config.toml:5: gestures belongs into the allow of the profile"),
        FaultCase(
            text("[[listener]]\nkind = 'socket'\npath = '/run/x.sock'\nprofiles = ['p']"),
            "config.toml:5: a listener with this path stands in config.toml:1 already; keep one of them"),
        FaultCase(
            text("token-file = '/x'"),
            "config.toml:5: unknown key \"token-file\" in [[listener]]; it takes kind, path, group, mode, profiles, allow"
        ),
    ]
}
