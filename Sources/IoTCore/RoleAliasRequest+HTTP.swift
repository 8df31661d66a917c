package import HeaderFields

extension RoleAliasRequest {
    /// As a GET. Every character of a role alias may stand in a path as it is (RFC 3986 §3.3).
    package var url: String { "\(endpoint.url)/role-aliases/\(roleAlias)/credentials" }

    /// Beside those that every request has.
    package var headers: [HeaderField] {
        thingName.map { [HeaderField(name: "x-amzn-iot-thingname", value: $0)] } ?? []
    }
}
