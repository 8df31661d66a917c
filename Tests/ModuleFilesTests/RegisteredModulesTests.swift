import ModuleFiles
import Testing
import TokenService

struct RegisteredModulesTests {
    private static let good = [
        RegisteredModule(name: "b", path: "/b.so"), RegisteredModule(name: "a", path: "/a.so", initArguments: "x"),
        RegisteredModule(name: "trust", path: "/t.so", isTrusted: true), RegisteredModule(name: "far", path: nil),
    ]
    private static let hang = RegistryFailure("p11-kit does not come back")

    private static func answered(_ answers: Result<[RegisteredModule], RegistryFailure>...) -> RegisteredModules {
        answers.reduce(into: RegisteredModules()) { $0.note($1) }
    }

    @Test("Every module is used by itself but for trust anchors and what runs elsewhere, which is told")
    func configurations() {
        let modules = Self.answered(.success(Self.good))
        #expect(modules.configurations.map(\.location) == [.name("a"), .name("b")])
        #expect(modules.notices.count == 1)
        #expect(modules.notices.first?.hasPrefix("far: p11-kit runs it in another process (remote:)") == true)
        #expect(modules.unusable == nil)
    }

    @Test("A failure leaves the last good list in force, and is told until p11-kit has answered again")
    func lastGoodList() {
        let failed = Self.answered(.success(Self.good), .failure(Self.hang))
        #expect(failed.configurations.count == 2)
        #expect(
            failed.notices.first?.hasPrefix("the registered modules are those of an earlier look: p11-kit ") == true)
        let again = Self.answered(.success(Self.good), .failure(Self.hang), .success([]))
        #expect(again.configurations.isEmpty && again.notices.isEmpty && again.unusable == nil)
    }

    @Test("Without any list, the failure stands in place of the modules, and passes")
    func noList() {
        let failed = Self.answered(.failure(Self.hang))
        #expect(failed.configurations.isEmpty && failed.notices.isEmpty)
        #expect(failed.unusable?.name == "p11-kit")
        #expect(failed.unusable?.passes == true)
        let refused = Self.answered(.failure(RegistryFailure("user-config: nonsense")))
        #expect(refused.unusable?.reason == "user-config: nonsense")
    }

    @Test("A name has its library and init string from p11-kit, and the configuration's own string comes first")
    func names() throws {
        let modules = Self.answered(.success(Self.good))
        var wanted = ModuleConfiguration(location: .name("a"))
        #expect(try modules.found(wanted).get().path == "/a.so")
        #expect(try modules.found(wanted).get().0.initArguments == "x")
        wanted.initArguments = "y"
        #expect(try modules.found(wanted).get().0.initArguments == "y")
        #expect(try modules.found(ModuleConfiguration(location: .path("/other.so"))).get().path == "/other.so")
    }

    @Test("A name that p11-kit does not have is told with those that it has")
    func unknownName() {
        let modules = Self.answered(.success(Self.good))
        guard case .failure(let unknown) = modules.found(ModuleConfiguration(location: .name("c"))) else {
            Issue.record("found a module that is not there")
            return
        }
        #expect(unknown.reason == "p11-kit has no module of this name for tokenward-worker; it has: a, b, far")
    }
}
