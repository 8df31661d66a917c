package import TokenService

/// The one private key on a token that has this id, this label, or both.
package struct KeySelection: Hashable, Sendable {
    package var token: TokenReference
    /// CKA_ID; nil: any.
    package var id: [UInt8]?
    /// CKA_LABEL; nil: any.
    package var label: [UInt8]?

    package init(token: TokenReference, id: [UInt8]?, label: [UInt8]?) {
        self.token = token
        self.id = id
        self.label = label
    }
}

extension KeySelection: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(token, id, label) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(token: try reader.value(), id: try reader.value(), label: try reader.value())
    }
}
