import CP11Kit
import Glibc

/// A URI as p11-kit parses it.
@safe final class P11KitURI {
    private let uri: OpaquePointer

    /// - Returns: nil where p11-kit refuses `text`, or takes it and then matches nothing with it ("unrecognized").
    init?(_ text: String) {
        guard let new = unsafe p11_kit_uri_new() else { return nil }
        unsafe uri = new
        guard unsafe p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, new) == Int32(P11_KIT_URI_OK.rawValue),
            unsafe p11_kit_uri_any_unrecognized(new) == 0
        else { return nil }
    }

    deinit { unsafe p11_kit_uri_free(uri) }

    /// Whether the token's fields, padded by the caller, match.
    func matches(_ token: borrowing CK_TOKEN_INFO) -> Bool {
        var copy = copy token
        return unsafe p11_kit_uri_match_token_info(uri, &copy) == 1
    }

    var fields: URIFields {
        var fields = URIFields()
        if let token = unsafe p11_kit_uri_get_token_info(uri)?.pointee {
            fields.text["token"] = field(token.label)
            fields.text["manufacturer"] = field(token.manufacturerID)
            fields.text["serial"] = field(token.serialNumber)
            fields.text["model"] = field(token.model)
        }
        if let slot = unsafe p11_kit_uri_get_slot_info(uri)?.pointee {
            fields.text["slot-description"] = field(slot.slotDescription)
            fields.text["slot-manufacturer"] = field(slot.manufacturerID)
        }
        if let module = unsafe p11_kit_uri_get_module_info(uri)?.pointee {
            fields.text["library-manufacturer"] = field(module.manufacturerID)
            fields.text["library-description"] = field(module.libraryDescription)
            let version = module.libraryVersion
            fields.version = version.major == 255 ? nil : [version.major, version.minor]
        }
        let slotID = unsafe p11_kit_uri_get_slot_id(uri)
        fields.slotID = slotID == CK_SLOT_ID.max ? nil : UInt(slotID)
        fields.text["object"] = attribute(CK_ATTRIBUTE_TYPE(CKA_LABEL))
        fields.text["id"] = attribute(CK_ATTRIBUTE_TYPE(CKA_ID))
        fields.type = attribute(CK_ATTRIBUTE_TYPE(CKA_CLASS))?.first.map { UInt($0) }
        fields.text["pin-source"] = unsafe string(p11_kit_uri_get_pin_source(uri))
        fields.text["module-name"] = unsafe string(p11_kit_uri_get_module_name(uri))
        fields.text["module-path"] = unsafe string(p11_kit_uri_get_module_path(uri))
        return fields
    }

    /// A fixed-width field: all zeros where p11-kit has read nothing, else padded with blanks.
    private func field<Tuple>(_ tuple: Tuple) -> [UInt8]? {
        let bytes = unsafe withUnsafeBytes(of: tuple) { unsafe Array($0) }
        return bytes.allSatisfy { $0 == 0 } ? nil : trimmed(bytes)
    }

    private func attribute(_ type: CK_ATTRIBUTE_TYPE) -> [UInt8]? {
        guard let attribute = unsafe p11_kit_uri_get_attribute(uri, type)?.pointee else { return nil }
        return unsafe Array(UnsafeRawBufferPointer(start: attribute.pValue, count: Int(attribute.ulValueLen)))
    }

    private func string(_ text: UnsafePointer<CChar>?) -> [UInt8]? {
        unsafe text.map { unsafe UnsafeBufferPointer(start: $0, count: strlen($0)).map(UInt8.init(bitPattern:)) }
    }
}

/// Without blanks and NULs on the right.
func trimmed(_ bytes: [UInt8]) -> [UInt8] {
    Array(bytes.prefix(bytes.lastIndex { $0 != 0x20 && $0 != 0 }.map { $0 + 1 } ?? 0))
}
