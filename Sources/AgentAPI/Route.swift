import Encodings

/// A request that the agent takes, and who may make it. The permission stands here and nowhere else.
package struct Route: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
    }

    /// What a peer must be allowed to do.
    package enum Permission: String, Sendable {
        /// To use the profile in the path: its `allow` table, or the agent's own user.
        case useProfile = "use-profile"
        /// To run the agent: its own user, or root where the agent is the system's.
        case owner
        /// To make, change and delete what tokens hold, and to ask for certificates of it: as `owner`, and a word of its own in the audit log.
        case management
    }

    package enum Action: CaseIterable, Sendable {
        case credentials, refresh, explain, profiles, identities, tokens, unlock, lock, reload, status, health
        case certificates, certificateRequest, installCertificate, removeCertificate
        case keys, generateKey, verifyKey, destroyKey, importKey
    }

    package let method: Method
    /// The path, where `{name}` stands for a profile's name.
    package let pattern: String
    package let permission: Permission
    package let action: Action
    /// Whether a person asks for a login by name: a refusal before it does not stand.
    package var isExplicit: Bool {
        [.refresh, .unlock].contains(action) || permission == .management
    }
    /// The largest body that the route takes, in bytes; 0 where it takes none.
    package let largestBody: Int
    /// Whether the agent's own user can always ask this: some connections are kept for it.
    package let isKept: Bool
    /// What stands before and after `{name}`; nil where the pattern has none.
    private let ends: (before: String, after: String)?

    private init(
        _ method: Method, _ pattern: String, needs permission: Permission, largestBody: Int = 0, isKept: Bool = false,
        _ action: Action
    ) {
        self.method = method
        self.pattern = pattern
        self.permission = permission
        self.action = action
        self.largestBody = largestBody
        self.isKept = isKept
        let parts = pattern.parts(between: "{name}")
        ends = parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
    }
}

extension Route.Action {
    /// What a peer must be allowed to do.
    package var permission: Route.Permission? { Route.all.first { $0.action == self }?.permission }
}

extension Route {
    /// What consumers ask for too, on loopback at another path.
    package static let credentials = Route(
        .get, "/v1/profiles/{name}/credentials", needs: .useProfile, .credentials)

    package static let all = [
        credentials,
        Route(.post, "/v1/profiles/{name}/refresh", needs: .useProfile, largestBody: refreshRequest, .refresh),
        Route(.get, "/v1/profiles/{name}/explain", needs: .owner, .explain),
        Route(.get, "/v1/profiles", needs: .owner, .profiles),
        Route(.get, "/v1/identities", needs: .owner, .identities),
        Route(.get, "/v1/tokens", needs: .owner, .tokens),
        Route(.post, "/v1/tokens/unlock", needs: .owner, largestBody: tokenRequest, isKept: true, .unlock),
        Route(.post, "/v1/lock", needs: .owner, largestBody: tokenRequest, isKept: true, .lock),
        Route(.get, "/v1/keys", needs: .management, .keys),
        Route(.post, "/v1/keys/generate", needs: .management, largestBody: tokenRequest, .generateKey),
        Route(.post, "/v1/keys/import", needs: .management, largestBody: keyImport, .importKey),
        Route(.post, "/v1/keys/verify", needs: .management, largestBody: tokenRequest, .verifyKey),
        Route(.post, "/v1/keys/destroy", needs: .management, largestBody: tokenRequest, .destroyKey),
        Route(.post, "/v1/reload", needs: .owner, .reload),
        Route(.get, "/v1/status", needs: .owner, isKept: true, .status),
        Route(.get, "/v1/health", needs: .owner, .health),
        Route(.post, "/v1/certificates", needs: .owner, largestBody: tokenRequest, .certificates),
        Route(
            .post, "/v1/certificate-requests", needs: .management, largestBody: certificateRequest,
            .certificateRequest),
        Route(
            .post, "/v1/certificates/install", needs: .management, largestBody: certificateInstall, .installCertificate),
        Route(
            .post, "/v1/certificates/remove", needs: .management, largestBody: certificateInstall, .removeCertificate),
    ]

    /// An MFA code, each digit of it escaped.
    private static var refreshRequest: Int { 256 }

    /// A PKCS#11 URI of some KiB, and a PIN of 255 bytes, each byte of it escaped.
    private static var tokenRequest: Int { 8192 }

    /// The same with a subject, and as many alternative names as fit.
    private static var certificateRequest: Int { 16_384 }

    /// A certificate with its intermediates in PEM, and what stands in a `tokenRequest`.
    private static var certificateInstall: Int { 16_384 }

    /// A file of one mebibyte in base 64, and what stands in a `tokenRequest` with a password beside the PIN.
    package static var keyImport: Int { 1_500_000 }

    /// What `path` has in the place of `{name}`, "" where the pattern has none; nil when it is not this route's path.
    fileprivate func name(in path: String) -> String? {
        guard let (before, after) = ends else { return path.utf8.elementsEqual(pattern.utf8) ? "" : nil }
        let bytes = path.utf8
        guard bytes.count > before.utf8.count + after.utf8.count, bytes.starts(with: before.utf8),
            bytes.suffix(after.utf8.count).elementsEqual(after.utf8)
        else { return nil }
        let name = bytes.dropFirst(before.utf8.count).dropLast(after.utf8.count)
        return name.contains(UInt8(ascii: "/")) ? nil : String(Substring(name))
    }
}

/// What a method and a path mean.
package enum RouteMatch: Sendable {
    /// `name` is the text in the place of `{name}`, not yet checked; "" where the route has none.
    case route(Route, name: String)
    case methodNotAllowed(allowed: Route.Method)
    case notFound

    package init(method: String, path: String) {
        var allowed: Route.Method?
        for route in Route.all {
            guard let name = route.name(in: path) else { continue }
            if route.method.rawValue == method {
                self = .route(route, name: name)
                return
            }
            allowed = route.method
        }
        self = allowed.map { .methodNotAllowed(allowed: $0) } ?? .notFound
    }
}
