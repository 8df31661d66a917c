/// Which module it is: a library with its settings. One library with two environments or init strings is two modules, such
/// as p11-kit-client for two servers.
package struct ModuleIdentity: Hashable, Sendable {
    package var path: String
    package var environment: [String: String]
    package var initArguments: String?

    package init(path: String, environment: [String: String] = [:], initArguments: String? = nil) {
        self.path = path
        self.environment = environment
        self.initArguments = initArguments
    }
}
