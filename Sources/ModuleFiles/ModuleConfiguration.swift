package import TokenService

/// A PKCS#11 module, and how to run it.
package struct ModuleConfiguration: Hashable, Sendable {
    package enum Location: Hashable, Sendable {
        /// An absolute path to a shared library.
        case path(String)
        /// The name under which p11-kit registers it: the module file's name without `.module`.
        case name(String)
    }
    package var location: Location
    /// What URIs call a module that is configured by its path (`module-name`); nil where nothing says so.
    package var givenName: String?
    /// Environment variables for the module's process, which has no others.
    package var environment: [String: String]
    /// How many PKCS#11 sessions may sign at the same time: 1 to 64.
    package var sessions: Int
    /// Whether it may open network sockets.
    package var hasNetwork = false
    /// The files and folders that it may change; nil for what most modules need, see `ModuleFolders`.
    package var writable: [String]?
    /// The string that C_Initialize gets as `pReserved`; nil for what p11-kit has registered.
    package var initArguments: String?
    package var timeouts: Timeouts

    /// How long a call into the module may take, in seconds, before its process is ended: nothing else ends it.
    package struct Timeouts: Hashable, Sendable {
        /// A look at all slots, tokens and their objects.
        package var list = 10
        package var login = 15
        package var sign = 15
        /// A signature or a login that a person confirms on the token.
        package var touch = 60

        package init() {}
    }

    /// What URIs call it.
    package var name: String? {
        if case .name(let name) = location { name } else { givenName }
    }

    /// Whether p11-kit knows where its library is.
    package var isRegistered: Bool {
        if case .name = location { true } else { false }
    }

    /// What sets the module apart from others, with its library at this path.
    package func identity(at path: String) -> ModuleIdentity {
        ModuleIdentity(path: path, environment: environment, initArguments: initArguments)
    }

    package init(
        location: Location, environment: [String: String] = [:], sessions: Int = 2, timeouts: Timeouts = Timeouts()
    ) {
        self.location = location
        self.environment = environment
        self.sessions = sessions
        self.timeouts = timeouts
    }
}
