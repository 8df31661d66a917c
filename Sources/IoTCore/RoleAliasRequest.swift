package import AWSNames

/// A request for credentials to the credential provider of AWS IoT Core (IoT Core developer guide, "Authorizing direct
/// calls to AWS services using AWS IoT Core credential provider"). The client certificate of its TLS says who asks.
package struct RoleAliasRequest: Hashable, Sendable {
    /// The account's own: `https://PREFIX.credentials.iot.REGION.amazonaws.com`.
    package let endpoint: Endpoint
    package let roleAlias: String
    /// Nil: the certificate's thing is not named.
    package let thingName: String?

    /// - Parameters:
    ///   - roleAlias: 1 to 128 of `[\w=,@-]` (IoT API reference, CreateRoleAlias).
    ///   - thingName: 1 to 128 of `[a-zA-Z0-9:_-]` (IoT API reference, CreateThing).
    package init(endpoint: Endpoint, roleAlias: String, thingName: String? = nil) {
        self.endpoint = endpoint
        self.roleAlias = roleAlias
        self.thingName = thingName
    }
}

extension RoleAliasRequest {
    /// As the account's own endpoint names it; nil for another one.
    package var region: String? {
        let labels = endpoint.host.split(separator: ".")
        return labels.count >= 6 && labels[1] == "credentials" && labels[2] == "iot" ? String(labels[3]) : nil
    }
}
