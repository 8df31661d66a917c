import Glibc
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
                ListenerConfiguration(
                    .socket(SocketFile(path: "/run/x.sock", mode: 0o600)), profiles: [name])
            ])
        #expect(
            try ConfigurationFolder(Self.text("group = 'deploy'")).load().listeners == [
                ListenerConfiguration(
                    .socket(SocketFile(path: "/run/x.sock", mode: 0o660, group: 2001)), profiles: [name])
            ])
        #expect(
            try ConfigurationFolder(Self.text("mode = '0666'\nallow = { users = ['alice'] }")).load().listeners == [
                ListenerConfiguration(
                    .socket(SocketFile(path: "/run/x.sock", mode: 0o666)), profiles: [name],
                    allow: AllowList(users: [1001], groups: []))
            ])
    }

    private static func endpoint(
        _ more: String, address: String = "127.0.0.1:9910", allow: String = "{ users = [1] }", module: String = ""
    ) -> String {
        "\(module)[[listener]]\nkind = 'container-credentials'\naddress = '\(address)'\nprofiles = ['p']\n"
            + "token-file = '/run/x'\nallow = \(allow)\n\(more)\n" + ProfileText.with("")
    }

    @Test("An endpoint for container credentials is read") func containerCredentials() throws {
        let name = try #require(ProfileName("p"))
        for (address, text) in [("127.0.0.1:9910", "127.0.0.1:9910"), ("[::1]:1", "[::1]:1")] {
            let listeners = try ConfigurationFolder(Self.endpoint("readers = ['alice', 7]", address: text)).load()
                .listeners
            #expect(
                listeners == [
                    ListenerConfiguration(
                        .containerCredentials(
                            try #require(LoopbackAddress(address)),
                            TokenFileSetting(path: "/run/x", readers: [1001, 7])),
                        profiles: [name], allow: AllowList(users: [1]))
                ])
        }
    }

    @Test("A wrong listener is told of", arguments: faults)
    func isRefused(_ row: FaultCase) throws {
        #expect(try ConfigurationFolder(row.text).faults() == row.faults)
    }

    private static let faults = [
        FaultCase("[[listener]]", "config.toml:1: [[listener]] has no kind; add it"),
        FaultCase(
            "[[listener]]\nkind = 'imds'\naddress = '127.0.0.1:1'",
            "config.toml:2: kind is \"imds\", which this version does not serve yet; use \"container-credentials\""),
        FaultCase(
            "[[listener]]\nkind = 'tcp'",
            "config.toml:2: kind is \"tcp\"; give \"socket\" or \"container-credentials\""),
        FaultCase(
            "[[listener]]\nkind = 'container-credentials'", "config.toml:1: [[listener]] has no address; add it",
            "config.toml:1: [[listener]] has no token-file; add it",
            "config.toml:1: [[listener]] has no profiles; add it",
            "config.toml:1: [[listener]] has no allow; add allow = { users = [...] }: every user can reach the address"),
        FaultCase(
            endpoint("", address: "0.0.0.0:9910"),
            "config.toml:3: address is \"0.0.0.0:9910\"; give \"127.0.0.1:PORT\" or \"[::1]:PORT\", "
                + "which no other machine can reach"),
        FaultCase(
            endpoint("", allow: "{ groups = ['deploy'] }"),
            "config.toml:6: groups is not taken here: of a TCP connection the kernel tells the user alone; list users"),
        FaultCase(
            endpoint(
                "", allow: "{ users = [\(geteuid())] }", module: "[[module]]\npath = '/lib/x.so'\nnetwork = true\n"),
            "config.toml:4: allow of [[listener]] lists the agent's own user, and a [[module]] has network = true: over TCP "
                + "it looks like that user; use kind = \"socket\", or another user"),
        FaultCase(
            endpoint("readers = ['bob']"),
            "config.toml:7: readers names \"bob\", and there is no such user; correct the name"),
        FaultCase(
            endpoint("mode = '0600'"),
            "config.toml:7: unknown key \"mode\" in [[listener]]; it takes kind, address, token-file, readers, profiles, allow"
        ),
        FaultCase(
            endpoint(
                "[[listener]]\nkind = 'container-credentials'\naddress = '127.0.0.1:9910'\nprofiles = ['p']\n"
                    + "token-file = '/run/y'\nallow = { users = [1] }"),
            "config.toml:7: a listener with this address stands in config.toml:1 already; keep one of them"),
        FaultCase(
            endpoint(
                "[[listener]]\nkind = 'container-credentials'\naddress = '127.0.0.1:9911'\nprofiles = ['p']\n"
                    + "token-file = '/run/x'\nallow = { users = [1] }"),
            "config.toml:7: this token-file stands in config.toml:1 already; give each its own"),
        FaultCase(
            "[[listener]]\nkind = 'container-credentials'\naddress = '127.0.0.1:9911'\nprofiles = ['p']\n"
                + "token-file = '/run//x'\nallow = { users = [1] }\n" + ProfileText.with(""),
            "config.toml:5: token-file is \"/run//x\"; write it without //, /./ and /../"),
        FaultCase(
            "[[listener]]\nkind = 'socket'\npath = '/run/../x.sock'\nprofiles = ['p']\n" + ProfileText.with(""),
            "config.toml:3: path is \"/run/../x.sock\"; write it without //, /./ and /../"),
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
