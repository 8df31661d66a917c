package import Glibc

/// What a consumer asks instead of the agent's own socket: it serves only the credentials of these profiles.
package struct ListenerConfiguration: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A Unix socket, such as a container's: reaching it is the permission.
        case socket(SocketFile)
        /// The endpoint that AWS SDKs ask as containers do: a permitted user with a bearer token.
        case containerCredentials(LoopbackAddress, TokenFileSetting)
    }

    package var kind: Kind
    package var profiles: Set<ProfileName>
    /// Who may use it; nil, for sockets alone: every user who can reach it.
    package var allow: AllowList?

    package init(_ kind: Kind, profiles: Set<ProfileName>, allow: AllowList? = nil) {
        self.kind = kind
        self.profiles = profiles
        self.allow = allow
    }
}

/// A Unix socket as its listener wants it.
package struct SocketFile: Hashable, Sendable {
    package var path: String
    package var mode: mode_t
    /// Nil: the agent's own.
    package var group: UInt32?

    package init(path: String, mode: mode_t, group: UInt32? = nil) {
        self.path = path
        self.mode = mode
        self.group = group
    }
}

/// The file that an endpoint's clients read their bearer token from.
package struct TokenFileSetting: Hashable, Sendable {
    package var path: String
    /// Users who may read it beside the agent's own.
    package var readers: Set<UInt32>

    package init(path: String, readers: Set<UInt32> = []) {
        self.path = path
        self.readers = readers
    }
}

extension ListenerConfiguration {
    /// Where it listens on loopback; nil for a Unix socket.
    var address: LoopbackAddress? {
        switch kind {
        case .socket: nil
        case .containerCredentials(let address, _): address
        }
    }

    var tokenFile: TokenFileSetting? {
        switch kind {
        case .socket: nil
        case .containerCredentials(_, let file): file
        }
    }

    /// The path of its socket, or its address, for messages and the audit log.
    var name: String {
        switch kind {
        case .socket(let file): file.path
        case .containerCredentials(let address, _): "\(address)"
        }
    }

    /// Whether a socket that was made for `other` serves this one: who may ask for what there is no part of it.
    func isSameSocket(as other: Self) -> Bool {
        switch (kind, other.kind) {
        case (.socket(let file), .socket(let old)): file == old
        case (.containerCredentials(let address, _), .containerCredentials(let old, _)): address == old
        case (.socket, _), (.containerCredentials, _): false
        }
    }
}
