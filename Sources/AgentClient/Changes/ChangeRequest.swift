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
        var body = try SecretBuffer(capacity: 16 * 1024, locked: true)
        try body.append("{\"uri\":")
        try body.appendString(Array(uri.utf8).span)
        if isFromLogin { try body.append(",\"origin\":\"login\"") }
        switch pin {
        case .some(let pin):
            try body.append(",\"pin\":")
            try pin.withBytes { (bytes) throws(ClientFailure) in try body.appendString(bytes) }
        case .none: break
        }
        try body.append("}")
        return try post(Array("/v1/tokens/unlock".utf8), body)
    }

    /// `POST /v1/lock`.
    ///
    /// - Parameter uri: nil: every token.
    package static func lock(uri: String?) throws(ClientFailure) -> SecretBuffer {
        var body = try SecretBuffer(capacity: 16 * 1024)
        try body.append("{")
        if let uri {
            try body.append("\"uri\":")
            try body.appendString(Array(uri.utf8).span)
        }
        try body.append("}")
        return try post(Array("/v1/lock".utf8), body)
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

extension SecretBuffer {
    /// Appends UTF-8 as a string of JSON (RFC 8259 §7), with its quotes.
    mutating func appendString(_ text: Span<UInt8>) throws(ClientFailure) {
        try append("\"")
        for index in text.indices {
            switch text[index] {
            case UInt8(ascii: "\""): try append("\\\"")
            case UInt8(ascii: "\\"): try append("\\\\")
            case 0..<0x20:
                try append("\\u00")
                try append(text[index] >> 4 == 0 ? "0" : "1")
                try append(Array("0123456789abcdef".utf8)[Int(text[index] & 0xF)])
            default: try append(text[index])
            }
        }
        try append("\"")
    }
}
