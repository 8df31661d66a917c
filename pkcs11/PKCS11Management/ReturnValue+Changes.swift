import CP11Kit
package import PKCS11

extension ReturnValue {
    /// What a code says of an attempt to change the token.
    package enum ChangeMeaning: Hashable, Sendable {
        /// The token, or the session, takes no changes.
        case readOnly
        /// There is no room for another object. openCryptoki says so with CKR_HOST_MEMORY.
        case full
        /// The token does not do this, or not with this type of key.
        case unsupported
        /// An attribute of the template is what the token does not take: with fewer of them it may.
        case template
        /// Only the security officer may (ykcs11: the card's management key).
        case otherUser
        case other
    }

    package var changeMeaning: ChangeMeaning {
        switch rawValue {
        case CKR_SESSION_READ_ONLY, CKR_TOKEN_WRITE_PROTECTED: .readOnly
        case CKR_DEVICE_MEMORY, CKR_HOST_MEMORY, 0x201: .full  // CKR_TOKEN_RESOURCE_EXCEEDED of PKCS#11 3.1
        case CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID, CKR_FUNCTION_NOT_SUPPORTED, CKR_KEY_SIZE_RANGE,
            CKR_CURVE_NOT_SUPPORTED, CKR_DOMAIN_PARAMS_INVALID:
            .unsupported
        case CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCOMPLETE,
            CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_READ_ONLY:
            .template
        case CKR_USER_TYPE_INVALID: .otherUser
        default: .other
        }
    }
}
