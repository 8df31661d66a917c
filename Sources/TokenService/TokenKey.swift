package import PKCS11URI

/// The token that a PIN, a refusal and a lock belong to: the module that shows it and all that it says of itself. Slot
/// numbers are no part of it.
package struct TokenKey: Hashable, Sendable {
    package var module: ModuleIdentity
    package var token: TokenDescription

    package init(module: ModuleIdentity, token: TokenDescription) {
        self.module = module
        self.token = token
    }
}

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

extension TokenKey {
    /// The same without the module's settings, which are in no file: what is written for a token holds for every module of
    /// the library that shows one like it.
    package var written: TokenKey { TokenKey(module: ModuleIdentity(path: module.path), token: token) }
}
