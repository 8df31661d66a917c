package import CP11Kit

/// The attributes that are read and set here (PKCS#11 2.40 §4), each with a limit on its length.
package enum Attribute: Sendable {
    case id, label, value, keyType, sign, alwaysAuthenticate, certificateType
    case modulus, publicExponent, ecParameters, ecPoint
    // What a keeper sets and reads back.
    case objectClass, onToken, isPrivate, modulusBits, verify, encrypt, decrypt, wrap, unwrap, derive, signRecover
    case subject, issuer, serialNumber, privateExponent, prime1, prime2, exponent1, exponent2, coefficient
    case verifyRecover, sensitive, alwaysSensitive, extractable, neverExtractable, local

    package var rawValue: CK_ATTRIBUTE_TYPE {
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
            case .objectClass: CKA_CLASS
            case .onToken: CKA_TOKEN
            case .isPrivate: CKA_PRIVATE
            case .modulusBits: CKA_MODULUS_BITS
            case .verify: CKA_VERIFY
            case .encrypt: CKA_ENCRYPT
            case .decrypt: CKA_DECRYPT
            case .wrap: CKA_WRAP
            case .unwrap: CKA_UNWRAP
            case .derive: CKA_DERIVE
            case .signRecover: CKA_SIGN_RECOVER
            case .verifyRecover: CKA_VERIFY_RECOVER
            case .sensitive: CKA_SENSITIVE
            case .alwaysSensitive: CKA_ALWAYS_SENSITIVE
            case .extractable: CKA_EXTRACTABLE
            case .neverExtractable: CKA_NEVER_EXTRACTABLE
            case .local: CKA_LOCAL
            case .subject: CKA_SUBJECT
            case .issuer: CKA_ISSUER
            case .serialNumber: CKA_SERIAL_NUMBER
            case .privateExponent: CKA_PRIVATE_EXPONENT
            case .prime1: CKA_PRIME_1
            case .prime2: CKA_PRIME_2
            case .exponent1: CKA_EXPONENT_1
            case .exponent2: CKA_EXPONENT_2
            case .coefficient: CKA_COEFFICIENT
            }
        return CK_ATTRIBUTE_TYPE(type)
    }

    /// In bytes: what there is room for. A longer value is a lie or an attack, and counts as absent.
    var room: Int {
        switch self {
        case .value: 65_536
        case .id, .label, .modulus, .publicExponent, .ecParameters, .ecPoint, .subject, .issuer, .serialNumber,
            .privateExponent, .prime1, .prime2, .exponent1, .exponent2, .coefficient:
            4096
        case .keyType, .certificateType, .objectClass, .modulusBits: MemoryLayout<CK_ULONG>.size
        case .sign, .alwaysAuthenticate, .onToken, .isPrivate, .verify, .encrypt, .decrypt, .wrap, .unwrap, .derive,
            .signRecover, .verifyRecover, .sensitive, .alwaysSensitive, .extractable, .neverExtractable, .local:
            MemoryLayout<CK_BBOOL>.size
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
    /// Reads attributes of an object, in one call where the module allows it (C_GetAttributeValue): SoftHSM opens a file for
    /// each attribute that an object of its class may have, at each call.
    ///
    /// CKR_ATTRIBUTE_SENSITIVE and CKR_ATTRIBUTE_TYPE_INVALID leave the other attributes of the call valid, and so should
    /// CKR_BUFFER_TOO_SMALL (PKCS#11 2.40 §5.7). Where it does not, or no value has come at all, each is asked for alone. Where
    /// the module has stopped at one that the object lacks, each after that one is.
    ///
    /// - Throws: Any other code, such as CKR_OBJECT_HANDLE_INVALID.
    package borrowing func attributes(
        _ wanted: [Attribute], of object: Object
    ) throws(PKCS11Error) -> AttributeValues {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: wanted.reduce(0) { $0 + $1.room }, alignment: MemoryLayout<CK_ULONG>.alignment)
        defer { unsafe buffer.deallocate() }
        // CK_UNAVAILABLE_INFORMATION, and no CK_BBOOL: what the module leaves as it is.
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0xFF)
        var template: [CK_ATTRIBUTE] = unsafe []
        var offset = 0
        for attribute in wanted {
            unsafe template.append(
                CK_ATTRIBUTE(
                    type: attribute.rawValue, pValue: buffer.baseAddress?.advanced(by: offset),
                    ulValueLen: CK_ULONG(attribute.room)))
            offset += attribute.room
        }
        let returnValue = unsafe module.functions.pointee.C_GetAttributeValue(
            handle, object.handle, &template, CK_ULONG(template.count))
        let code = ReturnValue(rawValue: UInt(returnValue))
        let isIncomplete = [.attributeSensitive, .attributeTypeInvalid, .bufferTooSmall].contains(code)
        if !isIncomplete { try check(.getAttributeValue, returnValue) }
        var result = AttributeValues()
        var untouched: Set<Attribute> = []  // as they were written above
        offset = 0
        for (index, attribute) in wanted.enumerated() {
            let room = unsafe UnsafeRawBufferPointer(rebasing: buffer[offset..<offset + attribute.room])
            offset += attribute.room
            let length = unsafe template[index].ulValueLen
            if length == CK_ULONG(room.count), unsafe !room.contains(where: { $0 != 0xFF }) {
                untouched.insert(attribute)
            } else if length <= CK_ULONG(room.count) {  // neither unavailable nor a lie
                result.values[attribute] = unsafe Array(room.prefix(Int(length)))
            }
        }
        guard wanted.count > 1, isIncomplete else { return result }
        let isLost = code == .bufferTooSmall || result.values.isEmpty
        for attribute in wanted where result[attribute] == nil && (isLost || untouched.contains(attribute)) {
            result.values[attribute] = try attributes([attribute], of: object)[attribute]
        }
        return result
    }
}
