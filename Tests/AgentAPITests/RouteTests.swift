import AgentAPI
import Testing

@Suite struct RouteTests {
    @Test(
        "A method and a path lead to their route, with the permission of the contract",
        arguments: [
            ("GET", "/v1/profiles/prod/credentials", .credentials, .useProfile, "prod"),
            ("POST", "/v1/profiles/prod/refresh", .refresh, .useProfile, "prod"),
            ("GET", "/v1/profiles/a.b/explain", .explain, .owner, "a.b"),
            ("GET", "/v1/profiles/credentials/credentials", .credentials, .useProfile, "credentials"),
            ("GET", "/v1/profiles", .profiles, .owner, ""),
            ("GET", "/v1/identities", .identities, .owner, ""),
            ("GET", "/v1/tokens", .tokens, .owner, ""),
            ("POST", "/v1/tokens/unlock", .unlock, .owner, ""),
            ("POST", "/v1/lock", .lock, .owner, ""),
            ("POST", "/v1/reload", .reload, .owner, ""),
            ("GET", "/v1/status", .status, .owner, ""),
            ("GET", "/v1/health", .health, .owner, ""),
        ] as [(String, String, Route.Action, Route.Permission, String)])
    func found(method: String, path: String, action: Route.Action, permission: Route.Permission, name: String) {
        guard case .route(let route, let found) = RouteMatch(method: method, path: path) else {
            Issue.record("no route")
            return
        }
        #expect(route.action == action)
        #expect(route.permission == permission)
        #expect(found == name)
    }

    @Test(
        "Every other path is not there",
        arguments: [
            "", "/", "/v1", "/v1/", "/v2/status", "/v1/profiles/", "/v1/profiles//credentials", "/v1/profiles/prod",
            "/v1/profiles/prod/", "/v1/profiles/prod/credentials/", "/v1/profiles/a/b/credentials", "/V1/status",
            "/v1/status/", "//v1/status", "/v1/profiles/credentials", "/v1/./status", "/v1/profiles/../credentialsx",
        ])
    func missing(path: String) {
        guard case .notFound = RouteMatch(method: "GET", path: path) else {
            Issue.record("found")
            return
        }
    }

    @Test(
        "Another method is told the right one",
        arguments: [
            ("HEAD", "/v1/status", .get), ("OPTIONS", "/v1/lock", .post), ("get", "/v1/status", .get),
            ("DELETE", "/v1/profiles/prod/credentials", .get), ("GET", "/v1/profiles/prod/refresh", .post),
        ] as [(String, String, Route.Method)])
    func wrongMethod(method: String, path: String, right: Route.Method) {
        guard case .methodNotAllowed(let allowed) = RouteMatch(method: method, path: path) else {
            Issue.record("not refused")
            return
        }
        #expect(allowed == right)
    }

    @Test("Each action has exactly one route") func complete() {
        #expect(Route.all.map(\.action).count == Route.Action.allCases.count)
        #expect(Set(Route.all.map(\.action)) == Set(Route.Action.allCases))
    }
}
