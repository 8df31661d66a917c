import JSON
package import LockedMemory

/// The requests that change something, with what they say in their body.
package enum ChangeRequest {
    /// The longest request in bytes.
    static let longest = 16 * 1024

    /// `POST /v1/tokens/unlock`.
    ///
    /// - Parameters:
    ///   - pin: Wiped with this call. nil: the agent uses the PIN that its configuration names.
    ///   - isFromLogin: Nobody typed the PIN for this token.
    /// - Throws: Exit code 64 for a URI that is too long.
    package static func unlock(
        uri: String, pin: consuming PINEntry?, isFromLogin: Bool
    ) throws(ClientFailure) -> SecretBuffer {
        var start = JSONWriter()
        start.beginObject()
        start.member("uri", uri)
        if isFromLogin { start.member("origin", "login") }
        return try post("/v1/tokens/unlock", start, pin: pin)
    }

    /// `POST /v1/certificate-requests`.
    ///
    /// - Parameters:
    ///   - subject: RFC 4514 text.
    ///   - names: Subject alternative names.
    ///   - pin: Wiped with this call. nil: the agent uses the PIN that its configuration names, or asks.
    /// - Throws: Exit code 64 where it is too long.
    package static func certificateRequest(
        key: String, subject: String, names: [String], pin: consuming PINEntry?
    ) throws(ClientFailure) -> SecretBuffer {
        var start = JSONWriter()
        start.beginObject()
        start.member("key", key)
        start.member("subject", subject)
        if !names.isEmpty {
            start.name("names")
            start.beginArray()
            for name in names { start.string(name) }
            start.endArray()
        }
        return try post("/v1/certificate-requests", start, pin: pin)
    }

    /// A `POST` of a management command.
    ///
    /// - Parameters:
    ///   - members: The body's other members.
    ///   - pin: Wiped with this call. nil: the agent uses the PIN that its configuration names, or asks a person.
    /// - Throws: Exit code 64 for members that are too long.
    package static func management(
        _ path: String, _ members: [(name: String, value: String)], pin: consuming PINEntry?
    ) throws(ClientFailure) -> SecretBuffer {
        var start = JSONWriter()
        start.beginObject()
        for (name, value) in members { start.member(name, value) }
        return try post(path, start, pin: pin)
    }

    /// A request with the members of an object that is not closed yet, and with the PIN as its last one. It is made around
    /// the PIN, in the PIN's own pages.
    private static func post(
        _ path: String, _ body: consuming JSONWriter, pin: consuming PINEntry?
    ) throws(ClientFailure) -> SecretBuffer {
        var request: SecretBuffer
        switch consume pin {
        case .some(let pin):
            body.name("pin")
            request = try pin.jsonString()
        case .none: request = try SecretBuffer.make(capacity: longest)
        }
        try request.insert(body.finish().span, before: 0)
        try request.insert([UInt8(ascii: "}")].span, before: request.count)
        try request.insert(head(path, bodyLength: request.count).span, before: 0)
        return request
    }

    /// `POST /v1/certificates`.
    ///
    /// - Throws: Exit code 64 for a URI that is too long.
    package static func certificates(uri: String) throws(ClientFailure) -> [UInt8] {
        try post("/v1/certificates", uri: uri)
    }

    /// `POST /v1/lock`.
    ///
    /// - Parameter uri: nil: every token.
    /// - Throws: Exit code 64 for a URI that is too long.
    package static func lock(uri: String?) throws(ClientFailure) -> [UInt8] { try post("/v1/lock", uri: uri) }

    private static func post(_ path: String, uri: String?) throws(ClientFailure) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        if let uri { writer.member("uri", uri) }
        writer.endObject()
        let body = writer.finish()
        let request = head(path, bodyLength: body.count) + body
        guard request.count <= longest else { throw .tooLongRequest }
        return request
    }

    /// `POST /v1/profiles/{name}/refresh`.
    ///
    /// - Parameter code: Of the profile's MFA device; wiped with this call.
    package static func refresh(
        _ profile: ProfileArgument, code: consuming PINEntry?
    ) throws(ClientFailure) -> SecretBuffer {
        let path = profile.path("/refresh")
        var request: SecretBuffer
        switch consume code {
        case .some(let code):
            request = try code.jsonString()
            try request.insert(Array(#"{"mfa_code":"#.utf8).span, before: 0)
            try request.insert([UInt8(ascii: "}")].span, before: request.count)
        case .none: request = try SecretBuffer.make(capacity: longest)
        }
        try request.insert(head(path, bodyLength: request.count).span, before: 0)
        return request
    }

    /// `POST /v1/reload`, which has no body.
    package static func reload() -> [UInt8] { head("/v1/reload", bodyLength: 0) }

    static func head(_ path: String, bodyLength: Int) -> [UInt8] {
        let type = bodyLength > 0 ? "Content-Type: application/json\r\n" : ""
        return AgentRequest.head(
            "POST", path, PersonHeader.field() + Array("\(type)Content-Length: \(bodyLength)\r\n".utf8))
    }
}
