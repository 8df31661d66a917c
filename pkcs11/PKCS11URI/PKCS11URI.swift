import Encodings

/// A PKCS#11 URI (RFC 7512): a pattern for modules, slots, tokens and objects, where what is absent matches anything.
///
/// Text is bytes, with escapes undone: tokens hold what their makers wrote, and that need not be UTF-8. The value holds
/// no secret: `pin-value` is never read.
package struct PKCS11URI: Hashable, Sendable {
    /// The token's label, `label` of CK_TOKEN_INFO. Like the other text of CK_TOKEN_INFO, CK_SLOT_INFO and CK_INFO it
    /// is kept without padding on its right.
    package internal(set) var token: [UInt8]?
    package internal(set) var manufacturer: [UInt8]?
    package internal(set) var serial: [UInt8]?
    package internal(set) var model: [UInt8]?
    package internal(set) var libraryManufacturer: [UInt8]?
    package internal(set) var libraryVersion: LibraryVersion?
    package internal(set) var libraryDescription: [UInt8]?
    /// The object's CKA_LABEL.
    package internal(set) var object: [UInt8]?
    /// The object's CKA_CLASS.
    package internal(set) var type: ObjectClass?
    /// The object's CKA_ID.
    package internal(set) var id: [UInt8]?
    package internal(set) var slotDescription: [UInt8]?
    package internal(set) var slotManufacturer: [UInt8]?
    package internal(set) var slotID: UInt64?
    /// Where the PIN comes from, as written. Nothing here opens it.
    package internal(set) var pinSource: [UInt8]?
    /// The module's name; here the one that p11-kit registers it under.
    package internal(set) var moduleName: [UInt8]?
    package internal(set) var modulePath: [UInt8]?

    /// Reads a URI by the grammar of RFC 7512 §2.3.
    ///
    /// - Parameter text: At most 64 KiB.
    /// - Throws: `PKCS11URIError` for what the grammar does not allow, and for what would be a trap: unknown and
    ///   repeated attributes, text that is longer than the field it is compared with, and `pin-value`.
    package init(_ text: String) throws(PKCS11URIError) {
        var parser = try PKCS11URIParser(text)
        self = try parser.parse()
    }

    /// Names a token, or an object on it: what is given here is what the URI demands.
    ///
    /// Text that the parser would refuse for its length is left out, so that what is printed can always be read again.
    /// Such a URI matches more, never less. An empty field of the token stays, and demands an empty field.
    package init(
        token: TokenDescription? = nil, object: [UInt8]? = nil, id: [UInt8]? = nil, type: ObjectClass? = nil
    ) {
        set(.token, token?.label)
        set(.manufacturer, token?.manufacturer)
        set(.serial, token?.serial)
        set(.model, token?.model)
        set(.object, object)
        set(.id, id)
        self.type = type
    }

    /// The same URI for an object on the token.
    package func naming(object: [UInt8]?, id: [UInt8]?, type: ObjectClass) -> PKCS11URI {
        var uri = self
        uri.set(.object, object)
        uri.set(.id, id)
        uri.type = type
        return uri
    }

    /// The same URI for what this module shows: by its path, and by its name where that is asked for.
    package func naming(_ module: ModuleDescription, withName: Bool = false) -> PKCS11URI {
        var uri = self
        uri.set(.modulePath, Array(module.path.utf8))
        if withName { uri.set(.moduleName, module.name.map { Array($0.utf8) }) }
        return uri
    }

    /// Whether it names tokens and no object on them.
    package var isTokenOnly: Bool { object == nil && id == nil && type == nil }

    /// The same URI for the token alone: without `object`, `id`, `type` and `pin-source`.
    package var tokenPart: PKCS11URI {
        var part = self
        part.object = nil
        part.id = nil
        part.type = nil
        part.pinSource = nil
        return part
    }

    /// The same URI with its `id` read as hexadecimal digits; nil where it is no such digits. `id=01` is two characters to the
    /// RFC, and many who write it mean `id=%01`.
    package var withIDAsDigits: PKCS11URI? {
        guard let id, !id.isEmpty, let bytes = Hexadecimal.decode(id) else { return nil }
        var uri = self
        uri.id = bytes
        return uri
    }

    private mutating func set(_ attribute: URIAttribute, _ value: [UInt8]?) {
        guard let path = attribute.text, let value else { return }
        let kept = attribute.fieldWidth == nil ? value : Array(Padding.trimmed(value))
        guard kept.count <= attribute.maximumLength else { return }
        self[keyPath: path] = kept
    }
}
