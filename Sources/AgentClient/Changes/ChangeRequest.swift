import JSON
package import LockedMemory

/// The requests that change something, with what they say in their body.
package enum ChangeRequest {
    /// The longest request in bytes.
    static let longest = 16 * 1024

    /// `POST /v1/tokens/unlock`, in locked pages.
    ///
    /// - Parameters:
    ///   - pin: Wiped with this call. nil: the agent uses the PIN that its configuration names.
    ///   - isFromLogin: Nobody typed the PIN for this token.
    /// - Throws: Exit code 64 for a URI that is no UTF-8 or too long.
    package static func unlock(
        uri: String, pin: consuming PINEntry?, isFromLogin: Bool
    ) throws(ClientFailure) -> SecretBuffer {
        var start = JSONWriter(to: try SecretBuffer(capacity: longest))
        try start.beginObject()
        try start.member("uri", uri)
        if isFromLogin { try start.member("origin", "login") }
        var body: SecretBuffer
        switch consume pin {
        case .some(let pin):
            try start.name("pin")
            body = try pin.jsonString()
        case .none: body = try SecretBuffer(capacity: longest)
        }
        try start.finish().withBytes { (bytes) throws(ClientFailure) in try body.insert(bytes, before: 0) }
        try body.append("}")
        return try post(Array("/v1/tokens/unlock".utf8), body)
    }

    /// `POST /v1/lock`.
    ///
    /// - Parameter uri: nil: every token.
    package static func lock(uri: String?) throws(ClientFailure) -> SecretBuffer {
        var body = JSONWriter(to: try SecretBuffer(capacity: longest))
        try body.beginObject()
        if let uri { try body.member("uri", uri) }
        try body.endObject()
        return try post(Array("/v1/lock".utf8), body.finish())
    }

    /// `POST /v1/profiles/{name}/refresh`, which has no body.
    package static func refresh(_ profile: ProfileArgument) throws(ClientFailure) -> SecretBuffer {
        try post(AgentRequest.path(profile, "/refresh"), SecretBuffer(capacity: longest))
    }

    /// `POST /v1/reload`, which has no body.
    package static func reload() throws(ClientFailure) -> SecretBuffer {
        try post(Array("/v1/reload".utf8), SecretBuffer(capacity: longest))
    }

    /// The request is made in the pages of its body.
    private static func post(_ path: [UInt8], _ body: consuming SecretBuffer) throws(ClientFailure) -> SecretBuffer {
        var head = try SecretBuffer(capacity: longest)
        try AgentRequest.appendHead("POST", path, to: &head)
        try PersonHeader.append(to: &head)
        if body.count > 0 { try head.append("Content-Type: application/json\r\n") }
        try head.append(Array("Content-Length: \(body.count)\r\n\r\n".utf8).span)
        var request = body
        try head.withBytes { (bytes) throws(ClientFailure) in try request.insert(bytes, before: 0) }
        return request
    }
}

extension SecretBuffer: JSONSink {}
