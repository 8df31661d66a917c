#if !hasFeature(Embedded)
    package import LockedMemory
#endif

/// A request of one of the agent's clients, in a buffer that is wiped afterwards.
package enum AgentRequest {
    /// `GET`, after which the connection closes.
    ///
    /// - Parameter path: Path and query, of characters that need no escape there.
    package static func get(_ path: [UInt8]) throws(ClientFailure) -> SecretBuffer {
        var request = try SecretBuffer(capacity: 4096)
        try appendHead("GET", path, to: &request)
        try request.append("\r\n")
        return request
    }

    package static func appendHead(
        _ method: StaticString, _ path: [UInt8], to request: inout SecretBuffer
    ) throws(ClientFailure) {
        try request.append(method)
        try request.append(" ")
        try request.append(path.span)
        try request.append(" HTTP/1.1\r\nHost: tokenward\r\nConnection: close\r\n")
    }

    package static func credentials(of profile: ProfileArgument) throws(ClientFailure) -> SecretBuffer {
        var request = try SecretBuffer(capacity: 4096)
        try appendHead("GET", path(profile, "/credentials"), to: &request)
        try PersonHeader.append(to: &request)
        try request.append("\r\n")
        return request
    }

    package static func path(_ profile: ProfileArgument, _ end: String) -> [UInt8] {
        Array("/v1/profiles/".utf8) + profile.bytes + Array(end.utf8)
    }
}
