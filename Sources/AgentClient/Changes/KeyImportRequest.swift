import JSON
package import LockedMemory

/// `POST /v1/keys/import`, put together in locked pages.
package enum KeyImportRequest {
    private static let path = "/v1/keys/import"

    /// - Parameters:
    ///   - members: The body's members that are no secrets.
    ///   - password: The file's; It is kept, for another attempt.
    ///   - pin: Wiped with this call. nil: the agent uses the PIN that its configuration names, or asks a person.
    /// - Throws: Exit code 64 for members that are too long.
    package static func make(
        _ members: [(name: String, value: String)], file: borrowing KeyFileEntry, password: borrowing PasswordEntry,
        pin: consuming PINEntry?
    ) throws(ClientFailure) -> SecretBuffer {
        var request = try SecretBuffer.make(capacity: KeyFileEntry.largest * 3 / 2, isLocked: true)
        var start = JSONWriter()
        start.beginObject()
        for (name, value) in members { start.member(name, value) }
        try request.add(start.finish())
        if password.isGiven {
            try request.add(Array(",\"password\":".utf8))
            try password.append(to: &request)
        }
        switch consume pin {
        case .some(let pin):
            try request.add(Array(",\"pin\":".utf8))
            try pin.jsonString().withBytes { (bytes) throws(ClientFailure) in
                try request.insert(bytes, before: request.count)
            }
        case .none: break
        }
        try request.add(Array(",\"file\":\"".utf8))
        try file.append(to: &request)
        try request.add(Array("\"}".utf8))
        try request.insert(ChangeRequest.head(path, bodyLength: request.count).span, before: 0)
        return request
    }
}

extension SecretBuffer {
    fileprivate mutating func add(_ bytes: [UInt8]) throws(ClientFailure) { try insert(bytes.span, before: count) }
}
