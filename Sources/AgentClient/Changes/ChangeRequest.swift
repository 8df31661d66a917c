import JSON
package import LockedMemory

/// The requests that change something, with what they say in their body.
package enum ChangeRequest {
    /// `POST /v1/tokens/unlock`, in locked pages.
    ///
    /// - Parameters:
    ///   - pin: Wiped with this call. nil: the agent uses the PIN that its configuration names.
    ///   - isFromLogin: Nobody typed the PIN for this token.
    /// - Throws: Exit code 64 for a URI that is no UTF-8 or too long.
    package static func unlock(
        uri: String, pin: consuming PINEntry?, isFromLogin: Bool
    ) throws(ClientFailure) -> SecretBuffer {
        var body = JSONWriter(to: try SecretBuffer(capacity: 16 * 1024, locked: true))
        try body.beginObject()
        try body.member("uri", uri)
        if isFromLogin { try body.member("origin", "login") }
        switch pin {
        case .some(let pin):
            try body.name("pin")
            try pin.withBytes { (bytes) throws(ClientFailure) in try body.string(bytes) }
        case .none: break
        }
        try body.endObject()
        return try post(Array("/v1/tokens/unlock".utf8), body.finish())
    }

    /// `POST /v1/lock`.
    ///
    /// - Parameter uri: nil: every token.
    package static func lock(uri: String?) throws(ClientFailure) -> SecretBuffer {
        var body = JSONWriter(to: try SecretBuffer(capacity: 16 * 1024))
        try body.beginObject()
        if let uri { try body.member("uri", uri) }
        try body.endObject()
        return try post(Array("/v1/lock".utf8), body.finish())
    }

    /// `POST /v1/profiles/{name}/refresh`, which has no body.
    package static func refresh(_ profile: ProfileArgument) throws(ClientFailure) -> SecretBuffer {
        try post(AgentRequest.path(profile, "/refresh"), SecretBuffer(capacity: 1))
    }

    /// `POST /v1/reload`, which has no body.
    package static func reload() throws(ClientFailure) -> SecretBuffer {
        try post(Array("/v1/reload".utf8), SecretBuffer(capacity: 1))
    }

    private static func post(_ path: [UInt8], _ body: borrowing SecretBuffer) throws(ClientFailure) -> SecretBuffer {
        var request = try SecretBuffer(capacity: 20 * 1024, locked: true)
        try AgentRequest.appendHead("POST", path, to: &request)
        try PersonHeader.append(to: &request)
        if body.count > 0 { try request.append("Content-Type: application/json\r\n") }
        try request.append(Array("Content-Length: \(body.count)\r\n\r\n".utf8).span)
        try body.withBytes { (bytes) throws(ClientFailure) in try request.append(bytes) }
        return request
    }
}

extension SecretBuffer: JSONSink {}
