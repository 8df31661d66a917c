import PKCS11URI
import Testing

@testable import Agent

struct ConfigurationDifferenceTests {
    private static func configuration(_ text: String) throws -> Configuration { try ConfigurationFolder(text).load() }

    private static func profile(_ name: String, _ more: String = "") -> String {
        "[profile.\(name)]\n\(ProfileText.arns)\(more)\n"
    }

    private static func names(_ names: String...) -> Set<ProfileName> { Set(names.compactMap { ProfileName($0) }) }

    @Test("A configuration that is read again changes nothing")
    func same() throws {
        let text = "[[module]]\nname = 'm'\n[[token]]\nuri = 'pkcs11:token=t'\n" + Self.profile("p")
        let difference = try Self.configuration(text).difference(from: Self.configuration("# again\n" + text))
        #expect(difference.modules == .init(same: [.name("m")]))
        #expect(difference.profiles == .init(same: Self.names("p")))
        #expect(!difference.tokensChanged)
        #expect(!difference.moduleChoiceChanged)
    }

    @Test("Modules are the same, changed, removed or added by their place")
    func modules() throws {
        let old = try Self.configuration(
            """
            module = [{ name = "same" }, { path = "/changed", sessions = 1 }, { name = "gone" }, { name = "both" }]
            """)
        let new = try Self.configuration(
            """
            module = [{ path = "/changed", sessions = 3 }, { name = "same" }, { name = "new" },
                { name = "both", environment = { A = "b" } }]
            """)
        #expect(
            new.difference(from: old).modules
                == .init(
                    same: [.name("same")], changed: [.path("/changed"), .name("both")], removed: [.name("gone")],
                    added: [.name("new")]))
        #expect(!new.difference(from: old).moduleChoiceChanged)
        #expect(new.difference(from: try Self.configuration("")).moduleChoiceChanged)
    }

    @Test("A profile is the same while it asks for the same session, whoever may use it")
    func profiles() throws {
        let old = try Self.configuration(
            Self.profile("same") + Self.profile("allow", "allow.users = [1]") + Self.profile("gone")
                + Self.profile("session") + Self.profile("identity", "certificate-issuer = 'CN=a'"))
        let new = try Self.configuration(
            Self.profile("allow", "allow.users = [2]") + Self.profile("new") + Self.profile("same")
                + Self.profile("session", "session-duration-seconds = 900")
                + Self.profile("identity", "certificate-issuer = 'CN=b'"))
        #expect(
            new.difference(from: old).profiles
                == .init(
                    same: Self.names("same", "allow"), changed: Self.names("session", "identity"),
                    removed: Self.names("gone"), added: Self.names("new")))
    }

    @Test("The order of PIN rules counts", arguments: [(["a", "b"], false), (["b", "a"], true), (["a"], true)])
    func tokens(_ labels: [String], _ isChange: Bool) throws {
        func rules(_ labels: [String]) throws -> Configuration {
            try Self.configuration(labels.map { "[[token]]\nuri = 'pkcs11:token=\($0)'\n" }.joined())
        }
        #expect(try rules(labels).difference(from: rules(["a", "b"])).tokensChanged == isChange)
    }
}
