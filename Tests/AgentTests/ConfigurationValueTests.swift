import ModuleFiles
import PKCS11URI
import RolesAnywhere
import Testing
import Tokens

@testable import Agent

struct ConfigurationValueTests {
    @Test("An empty file is an empty configuration", arguments: ["", "\n", "# nothing", "\u{FEFF}# nothing", "\r\n"])
    func empty(_ text: String) throws {
        #expect(try ConfigurationFolder(text).load() == Configuration(modules: [], tokens: [], profiles: [:]))
    }

    @Test("Modules keep their order and have defaults")
    func modules() throws {
        let configuration = try ConfigurationFolder(
            """
            [[module]]
            path = "/usr/lib/softhsm/libsofthsm2.so"
            environment = { SOFTHSM2_CONF = "/etc/softhsm/softhsm2.conf", EMPTY = "" }
            sessions = 64
            [[module]]
            name = "opensc-pkcs11"
            """
        ).load()
        #expect(
            configuration.modules == [
                ModuleConfiguration(
                    location: .path("/usr/lib/softhsm/libsofthsm2.so"),
                    environment: ["SOFTHSM2_CONF": "/etc/softhsm/softhsm2.conf", "EMPTY": ""], sessions: 64),
                ModuleConfiguration(location: .name("opensc-pkcs11"), environment: [:], sessions: 2),
            ])
    }

    @Test("A module's timeouts have defaults, and each can be set by itself")
    func timeouts() throws {
        let modules = try ConfigurationFolder(
            """
            [[module]]
            path = "/a"
            [[module]]
            path = "/b"
            list-timeout-seconds = 1
            login-timeout-seconds = 2
            sign-timeout-seconds = 3
            touch-timeout-seconds = 600
            """
        ).load().modules
        let seconds = modules.map { [$0.timeouts.list, $0.timeouts.login, $0.timeouts.sign, $0.timeouts.touch] }
        #expect(seconds == [[10, 15, 15, 60], [1, 2, 3, 600]])
    }

    @Test(
        "A token's touch is read, and is none by default",
        arguments: [("", false), ("touch = true", true), ("touch = false", false)])
    func touch(_ text: String, _ touch: Bool) throws {
        let tokens = try ConfigurationFolder("[[token]]\nuri = 'pkcs11:'\n\(text)").load().tokens
        #expect(tokens.map(\.touch) == [touch])
    }

    @Test(
        "Reserved words are no PINs unless the token's rule says so",
        arguments: [("", false), ("reserved-pins = true", true), ("reserved-pins = false", false)])
    func reservedPINs(_ text: String, _ mayBeSent: Bool) throws {
        let tokens = try ConfigurationFolder("[[token]]\nuri = 'pkcs11:'\n\(text)").load().tokens
        #expect(tokens.map(\.reservedPINs) == [mayBeSent])
    }

    @Test(
        "Each PIN source is read",
        arguments: [
            ("", .prompt), ("pin-source = 'prompt'", .prompt), ("pin-source = 'protected'", .protected),
            ("pin-source = 'file:/run/pin'", .file("/run/pin")),
            ("pin-source = 'file:///run/pin'", .file("/run/pin")),
            ("pin-source = 'credential:token.pin'", .credential("token.pin")),
        ] as [(String, TokenRule.PINSource)])
    func pinSources(_ text: String, _ source: TokenRule.PINSource) throws {
        let configuration = try ConfigurationFolder("[[token]]\nuri = 'pkcs11:token=prod'\n\(text)").load()
        let uri = try PKCS11URI("pkcs11:token=prod")
        #expect(configuration.tokens == [TokenRule(uri: uri, pinSource: source, pinLifetimeSeconds: 28_800)])
    }

    @Test("PIN rules keep their order", arguments: [0, 1, 604_800])
    func rules(_ lifetime: Int) throws {
        let rules = ["b", "a", "c"].map {
            "[[token]]\nuri = 'pkcs11:token=\($0)'\npin-lifetime-seconds = \(lifetime)\n"
        }
        let tokens = try ConfigurationFolder(rules.joined()).load().tokens
        #expect(tokens.map(\.uri.description) == ["pkcs11:token=b", "pkcs11:token=a", "pkcs11:token=c"])
        #expect(tokens.allSatisfy { $0.pinLifetimeSeconds == lifetime })
    }

    @Test("A profile has defaults, and lets in the agent's own user alone")
    func profileDefaults() throws {
        let profile = try ConfigurationFolder(ProfileText.with("")).profile("p")
        #expect(profile.identity == IdentitySelector())
        #expect(profile.allow == AllowList(users: [], groups: []))
        #expect(profile.session?.scope.trustAnchorARN.description == ProfileText.trustAnchor)
        #expect(profile.session?.scope.profileARN.description == ProfileText.profile)
        #expect(profile.session?.scope.roleARN.description == ProfileText.role)
        #expect(profile.session?.options.durationSeconds == 3600)
        #expect(profile.session?.options.roleSessionName == nil)
        #expect(profile.session?.options.instanceProperties == [:])
        #expect(profile.caBundle == nil)
        #expect(profile.session?.endpoint.url == "https://rolesanywhere.eu-central-1.amazonaws.com")
    }

    @Test("Several certificates are one and its spares")
    func spares() throws {
        let text = ProfileText.with("certificate = ['pkcs11:token=a', 'pkcs11:token=b', 'pkcs11:token=c']")
        let identity = try #require(try ConfigurationFolder(text).profile("p").identity)
        #expect(identity.certificate == .token(try PKCS11URI("pkcs11:token=a")))
        #expect(identity.spares == [try PKCS11URI("pkcs11:token=b"), try PKCS11URI("pkcs11:token=c")])
    }

    @Test("Every setting of a profile is read")
    func profileInFull() throws {
        let text = ProfileText.with(
            """
            source = "roles-anywhere"
            certificate = "pkcs11:token=prod;object=client"
            certificate-subject = "CN=build"
            certificate-issuer = "CN=Example Root"
            certificate-serial = "0x0a:1B"
            intermediates = "/etc/intermediates.pem"
            session-duration-seconds = 43200
            role-session-name = "build-7"
            instance-properties = { environment = "production" }
            endpoint = "http://127.0.0.1:8080"
            ca-bundle = "/etc/roots.pem"
            [profile.p.allow]
            users = ["alice", 0, 4294967294]
            groups = ["deploy"]
            gestures = true
            """)
        let profile = try ConfigurationFolder(text).profile("p")
        #expect(
            profile.identity
                == IdentitySelector(
                    certificate: .token(try PKCS11URI("pkcs11:token=prod;object=client")), subject: "CN=build",
                    issuer: "CN=Example Root", serial: "0x0a:1B", intermediates: "/etc/intermediates.pem"))
        #expect(profile.session?.options.durationSeconds == 43_200)
        #expect(profile.session?.options.roleSessionName == "build-7")
        #expect(profile.session?.options.instanceProperties == ["environment": "production"])
        #expect(profile.session?.endpoint.url == "http://127.0.0.1:8080")
        #expect(profile.caBundle == "/etc/roots.pem")
        #expect(profile.allow == AllowList(users: [1001, 0, 4_294_967_294], groups: [2001], gestures: true))
    }

    @Test(
        "A certificate in a file has its key on a token",
        arguments: ["/etc/c.pem", "file:/etc/c.pem", "file:///etc/c.pem"])
    func certificateFile(_ certificate: String) throws {
        let text = ProfileText.with("certificate = '\(certificate)'\nprivate-key = 'pkcs11:id=%01'")
        let profile = try ConfigurationFolder(text).profile("p")
        #expect(
            profile.identity
                == IdentitySelector(certificate: .file("/etc/c.pem"), key: try PKCS11URI("pkcs11:id=%01")))
    }

    @Test(
        "FIPS and dual-stack endpoints are asked for by key",
        arguments: [
            ("use-fips-endpoint = true", "https://rolesanywhere-fips.eu-central-1.amazonaws.com"),
            ("use-dualstack-endpoint = true", "https://rolesanywhere.eu-central-1.api.aws"),
            ("use-fips-endpoint = false", "https://rolesanywhere.eu-central-1.amazonaws.com"),
        ])
    func endpoints(_ text: String, _ url: String) throws {
        let profile = try ConfigurationFolder(ProfileText.with(text)).profile("p")
        #expect(profile.session?.endpoint.url == url)
    }

    @Test(
        "A profile's name may be written in every way that TOML has",
        arguments: ["p-1", "\"p-1\"", "'p-1'", " \"p\\u002d1\" "])
    func names(_ name: String) throws {
        let configuration = try ConfigurationFolder("[profile.\(name)]\n\(ProfileText.arns)").load()
        #expect(configuration.profiles.keys.map(\.description) == ["p-1"])
    }
}
