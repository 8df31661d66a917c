package import TokenService

/// A key file as its owner sent it, to be read and held until the `KeyImport` that follows: before anything logs in, so that a
/// file that cannot be read costs no login. Its password goes beside the request as its secret.
package struct KeyFileOpening: Hashable, Sendable {
    /// An empty password cannot travel as a secret.
    package enum Password: UInt8, Hashable, Sendable, CaseIterable {
        case none = 0
        case empty = 1
        case secret = 2
    }

    package var content: [UInt8]
    package var password: Password

    package init(content: [UInt8], password: Password) {
        self.content = content
        self.password = password
    }
}

/// What a key file holds, without its secrets.
package struct KeyFileReport: Hashable, Sendable {
    /// Of the key, for people: `RSA 2048`, `EC P-256`.
    package var keyType: String
    /// The key's certificate, DER; nil where the file has none.
    package var certificate: [UInt8]?
    /// The certificates between that and a root, DER.
    package var intermediates: [[UInt8]]
    /// Certificates that are not written to a token: roots, and what belongs to others.
    package var leftOut: Int

    package init(keyType: String, certificate: [UInt8]?, intermediates: [[UInt8]], leftOut: Int) {
        self.keyType = keyType
        self.certificate = certificate
        self.intermediates = intermediates
        self.leftOut = leftOut
    }
}

/// The key of the file that the keeper holds is to be written to a token, with its certificates: sign only, and never to leave
/// it.
package struct KeyImport: Hashable, Sendable {
    package var token: TokenReference
    /// CKA_ID
    package var id: [UInt8]
    /// CKA_LABEL
    package var label: [UInt8]

    package init(token: TokenReference, id: [UInt8], label: [UInt8]) {
        self.token = token
        self.id = id
        self.label = label
    }
}

extension KeyFileOpening.Password: WireValue {}

extension KeyFileOpening: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(password, content) }

    package init(from reader: inout WireReader) throws(WireError) {
        let password: Password = try reader.value()
        self.init(content: try reader.list(upTo: 1 << 20), password: password)
    }
}

extension KeyFileReport: WireValue {
    package func write(to writer: inout WireWriter) {
        writer.add(keyType, certificate, intermediates, UInt32(clamping: leftOut))
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            keyType: try reader.value(), certificate: try reader.value(), intermediates: try reader.list(upTo: 64),
            leftOut: Int(try reader.value() as UInt32))
    }
}

extension KeyImport: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(token, id, label) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(token: try reader.value(), id: try reader.list(upTo: 255), label: try reader.list(upTo: 255))
    }
}
