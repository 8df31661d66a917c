import CP11Kit
package import PKCS11

// The only calls that make, change or delete objects: `tokenward-keeper` links this target, and no other program does.

extension Function {
    package static let generateKeyPair = Self(rawValue: "C_GenerateKeyPair")
    package static let createObject = Self(rawValue: "C_CreateObject")
    package static let destroyObject = Self(rawValue: "C_DestroyObject")
}

extension TokenSession {
    /// Has the token make a key pair (C_GenerateKeyPair). Blocks for as long as the token computes: a minute for RSA-4096 on
    /// some cards.
    ///
    /// - Throws: CKR_MECHANISM_INVALID or CKR_FUNCTION_NOT_SUPPORTED where it makes none, CKR_USER_NOT_LOGGED_IN,
    ///   CKR_TOKEN_WRITE_PROTECTED, and what vendors invent. Half a pair may be left behind.
    package borrowing func generateKeyPair(
        _ mechanism: KeyPairMechanism, publicKey: ObjectTemplate, privateKey: ObjectTemplate
    ) throws(PKCS11Error) -> (publicKey: Object, privateKey: Object) {
        var call = unsafe CK_MECHANISM(mechanism: mechanism.number, pParameter: nil, ulParameterLen: 0)
        var handles = (publicKey: CK_OBJECT_HANDLE(), privateKey: CK_OBJECT_HANDLE())
        let returnValue = unsafe publicKey.withAttributes { publicAttributes in
            unsafe privateKey.withAttributes { privateAttributes in
                unsafe module.functions.pointee.C_GenerateKeyPair(
                    handle, &call, &publicAttributes, CK_ULONG(publicAttributes.count), &privateAttributes,
                    CK_ULONG(privateAttributes.count), &handles.publicKey, &handles.privateKey)
            }
        }
        try check(.generateKeyPair, returnValue)
        return (Object(handle: handles.publicKey), Object(handle: handles.privateKey))
    }

    /// Writes an object (C_CreateObject). After an error SoftHSM 2.6 may have one all the same: look for it.
    package borrowing func create(_ template: ObjectTemplate) throws(PKCS11Error) -> Object {
        var object = CK_OBJECT_HANDLE()
        let returnValue = unsafe template.withAttributes { attributes in
            unsafe module.functions.pointee.C_CreateObject(handle, &attributes, CK_ULONG(attributes.count), &object)
        }
        try check(.createObject, returnValue)
        return Object(handle: object)
    }

    /// Writes an object whose secrets stand in a locked page: they are copied by nobody but the module (C_CreateObject).
    ///
    /// - Parameter secrets: Further attributes, by where their values stand in the page.
    package borrowing func create(
        _ template: ObjectTemplate, secrets: [(attribute: Attribute, place: Range<Int>)], in page: Span<UInt8>
    ) throws(PKCS11Error) -> Object {
        var object = CK_OBJECT_HANDLE()
        let returnValue = unsafe page.withUnsafeBytes { bytes in
            unsafe template.withAttributes { attributes in
                for (attribute, place) in secrets {
                    let value = unsafe UnsafeRawBufferPointer(rebasing: bytes[place])
                    // A mutable pointer by its C type, which C_CreateObject does not write to (PKCS#11 2.40 §5.7).
                    unsafe attributes.append(
                        CK_ATTRIBUTE(
                            type: attribute.rawValue, pValue: UnsafeMutableRawPointer(mutating: value.baseAddress),
                            ulValueLen: CK_ULONG(value.count)))
                }
                return unsafe module.functions.pointee.C_CreateObject(
                    handle, &attributes, CK_ULONG(attributes.count), &object)
            }
        }
        try check(.createObject, returnValue)
        return Object(handle: object)
    }

    /// Deletes an object (C_DestroyObject). CKR_OK proves nothing: ykcs11 2.2 answers it for a private key, leaves the key, and
    /// deletes the slot's certificate. Look afterwards.
    package borrowing func destroy(_ object: Object) throws(PKCS11Error) {
        try check(.destroyObject, unsafe module.functions.pointee.C_DestroyObject(handle, object.handle))
    }
}

/// How a token makes a key pair (PKCS#11 2.40 mechanisms §2.1.4, §2.3.5).
package enum KeyPairMechanism: Hashable, Sendable {
    case rsa, ec

    var number: CK_MECHANISM_TYPE {
        switch self {
        case .rsa: CK_MECHANISM_TYPE(CKM_RSA_PKCS_KEY_PAIR_GEN)
        case .ec: CK_MECHANISM_TYPE(CKM_EC_KEY_PAIR_GEN)
        }
    }

    /// Whether a token that lists these mechanisms (C_GetMechanismList) makes such pairs.
    package func isAmong(_ listed: Set<UInt64>) -> Bool { listed.contains(UInt64(number)) }
}
