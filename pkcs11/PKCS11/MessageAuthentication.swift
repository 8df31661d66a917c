import CP11Kit

extension TokenSession {
    /// HMAC-SHA256 with a secret key of this token (C_SignInit, C_Sign; CKM_SHA256_HMAC).
    ///
    /// - Parameter buffer: Gets the 32 bytes; it has room for more, because some modules ask for it.
    /// - Throws: `.noMechanism` where the token makes none, or none with this key.
    package borrowing func authenticate(
        _ message: [UInt8], key: Object, into buffer: UnsafeMutableRawBufferPointer
    ) throws(PKCS11Error) {
        var mechanism = unsafe CK_MECHANISM(
            mechanism: CK_MECHANISM_TYPE(CKM_SHA256_HMAC), pParameter: nil, ulParameterLen: 0)
        do throws(PKCS11Error) {
            try check(.signInit, unsafe module.functions.pointee.C_SignInit(handle, &mechanism, key.handle))
        } catch .failed(_, let returnValue) where returnValue.meaning == .refusedMechanism {
            throw .noMechanism(returnValue)
        }
        var message = message
        var length = CK_ULONG(buffer.count)
        try check(
            .sign,
            unsafe module.functions.pointee.C_Sign(
                handle, &message, CK_ULONG(message.count), buffer.baseAddress?.assumingMemoryBound(to: UInt8.self),
                &length))
        guard length == 32 else { throw .nonsense(what: "C_Sign gave an HMAC-SHA256 of \(length) bytes") }
    }
}
