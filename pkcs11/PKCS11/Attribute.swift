import CP11Kit

/// The attributes that are read here (PKCS#11 2.40 §4), each with a limit on its length.
package enum Attribute: Sendable {
    case id, label, value, keyType, sign, alwaysAuthenticate, certificateType
    case modulus, publicExponent, ecParameters, ecPoint

    var rawValue: CK_ATTRIBUTE_TYPE {
        let type =
            switch self {
            case .id: CKA_ID
            case .label: CKA_LABEL
            case .value: CKA_VALUE
            case .keyType: CKA_KEY_TYPE
            case .sign: CKA_SIGN
            case .alwaysAuthenticate: CKA_ALWAYS_AUTHENTICATE
            case .certificateType: CKA_CERTIFICATE_TYPE
            case .modulus: CKA_MODULUS
            case .publicExponent: CKA_PUBLIC_EXPONENT
            case .ecParameters: CKA_EC_PARAMS
            case .ecPoint: CKA_EC_POINT
            }
        return CK_ATTRIBUTE_TYPE(type)
    }

    /// In bytes. A longer value is a lie or an attack, and counts as absent.
    var limit: Int {
        switch self {
        case .value: 65_536
        case .id, .label, .modulus, .publicExponent, .ecParameters, .ecPoint: 4096
        case .keyType, .sign, .alwaysAuthenticate, .certificateType: 64
        }
    }
}

/// The values of one object's attributes. What the token does not have, does not tell or lies about is absent.
package struct AttributeValues: Hashable, Sendable {
    var values: [Attribute: [UInt8]] = [:]

    package subscript(_ attribute: Attribute) -> [UInt8]? { values[attribute] }

    /// A CK_ULONG; nil where it is absent or has another width.
    package func number(_ attribute: Attribute) -> UInt64? {
        guard let bytes = values[attribute], bytes.count == MemoryLayout<CK_ULONG>.size else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A CK_BBOOL; nil where it is absent or has another width.
    package func flag(_ attribute: Attribute) -> Bool? {
        guard let bytes = values[attribute], bytes.count == MemoryLayout<CK_BBOOL>.size else { return nil }
        return bytes[0] != 0
    }
}

extension TokenSession {
    /// Reads attributes of an object (C_GetAttributeValue): once for the lengths, once for the values.
    ///
    /// CKR_ATTRIBUTE_SENSITIVE and CKR_ATTRIBUTE_TYPE_INVALID leave the other attributes of the call valid
    /// (PKCS#11 2.40 §5.7). Lengths that grow between the calls are asked for once more.
    ///
    /// - Throws: Any other code, such as CKR_OBJECT_HANDLE_INVALID.
    package borrowing func attributes(
        _ wanted: [Attribute], of object: Object
    ) throws(PKCS11Error) -> AttributeValues {
        for _ in 0..<2 {
            guard let lengths = try lengths(wanted, of: object) else { continue }
            if let values = try values(lengths, of: object) { return values }
        }
        // One of them never keeps its length: the others can be read without it.
        var result = AttributeValues()
        guard wanted.count > 1 else { return result }
        for attribute in wanted {
            result.values[attribute] = try attributes([attribute], of: object)[attribute]
        }
        return result
    }

    private borrowing func lengths(
        _ wanted: [Attribute], of object: Object
    ) throws(PKCS11Error) -> [(Attribute, Int)]? {
        var template = unsafe wanted.map { unsafe CK_ATTRIBUTE(type: $0.rawValue, pValue: nil, ulValueLen: 0) }
        guard try unsafe ask(&template, of: object) else { return nil }
        var lengths: [(Attribute, Int)] = []
        for (index, attribute) in wanted.enumerated() {
            let length = unsafe template[index].ulValueLen
            guard length != ck_unavailable_information, length <= CK_ULONG(attribute.limit) else { continue }
            lengths.append((attribute, Int(length)))
        }
        return lengths
    }

    /// Nil where the buffers were too small after all.
    private borrowing func values(
        _ lengths: [(Attribute, Int)], of object: Object
    ) throws(PKCS11Error) -> AttributeValues? {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, lengths.reduce(0) { $0 + $1.1 }), alignment: MemoryLayout<CK_ULONG>.alignment)
        defer { unsafe buffer.deallocate() }
        _ = unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
        var template: [CK_ATTRIBUTE] = unsafe []
        var offsets: [Int] = []
        var offset = 0
        for (attribute, length) in lengths {
            unsafe template.append(
                CK_ATTRIBUTE(
                    type: attribute.rawValue, pValue: buffer.baseAddress?.advanced(by: offset),
                    ulValueLen: CK_ULONG(length)))
            offsets.append(offset)
            offset += length
        }
        guard try unsafe ask(&template, of: object) else { return nil }
        var result = AttributeValues()
        for index in lengths.indices {
            let (attribute, room) = lengths[index]
            let length = unsafe template[index].ulValueLen
            guard length <= CK_ULONG(room) else { continue }  // unavailable after all, or a length that is a lie
            result.values[attribute] = unsafe Array(buffer[offsets[index]..<offsets[index] + Int(length)])
        }
        return result
    }

    /// False for CKR_BUFFER_TOO_SMALL.
    private borrowing func ask(
        _ template: inout [CK_ATTRIBUTE], of object: Object
    ) throws(PKCS11Error) -> Bool {
        guard unsafe !template.isEmpty else { return true }
        let returnValue = unsafe module.functions.pointee.C_GetAttributeValue(
            handle, object.handle, &template, CK_ULONG(template.count))
        switch ReturnValue(rawValue: UInt(returnValue)) {
        case .attributeSensitive, .attributeTypeInvalid: return true
        case .bufferTooSmall: return false
        default: try check(.getAttributeValue, returnValue)
        }
        return true
    }
}
