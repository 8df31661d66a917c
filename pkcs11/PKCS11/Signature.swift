import CP11Kit

extension TokenSession {
    /// Room for every signature made here: RSA up to 8192 bits, ECDSA up to P-521. It is given at once, because some
    /// modules ask for a touch when they are asked for the size.
    private static var signatureCapacity: Int { 1024 }

    /// Signs `message` with a private key of this token (C_SignInit, C_Sign).
    ///
    /// Blocks until the token answers: milliseconds for an HSM, until the user's touch for some cards.
    ///
    /// - Parameters:
    ///   - message: The bytes to sign, not hashed.
    ///   - digest: Their hash, for the mechanisms that take one; for ECDSA cut to the length of the curve's order.
    ///   - mechanisms: What to try, in order; the next one only when a mechanism was refused before anything was signed.
    ///   - authorize: Called between C_SignInit and C_Sign, to log in for a key that wants its PIN each time
    ///     (CKA_ALWAYS_AUTHENTICATE). Where it says that it has, no other mechanism is tried: that would take another
    ///     login.
    /// - Returns: DER `Ecdsa-Sig-Value` for EC keys (RFC 3279 §2.2.3), the padded block for RSA; and the mechanism
    ///   that made it.
    /// - Throws: CKR_USER_NOT_LOGGED_IN if the PIN comes first, CKR_DEVICE_REMOVED if the card left.
    package borrowing func sign(
        message: [UInt8], digest: [UInt8], key: Object, mechanisms: [Mechanism],
        authorize: () throws(PKCS11Error) -> Bool = { false }
    ) throws(PKCS11Error) -> (signature: [UInt8], mechanism: Mechanism) {
        var refusal = ReturnValue(rawValue: UInt(CKR_MECHANISM_INVALID))
        var wasRefusedLate = false
        for mechanism in mechanisms {
            do throws(PKCS11Error) {
                try start(mechanism, with: key)
            } catch .failed(_, let returnValue) where returnValue.meaning == .refusedMechanism {
                refusal = returnValue
                continue
            } catch .failed(_, .operationActive) where wasRefusedLate {
                throw .failed(.sign, refusal)  // which has left its operation open (tpm2-pkcs11)
            }
            let isAuthorized = try authorize()
            do throws(PKCS11Error) {
                let raw = try finish(mechanism.input(message: message, digest: digest))
                return (mechanism.isECDSA ? try ecdsaSignature(fromRaw: raw) : raw, mechanism)
            } catch .failed(_, let returnValue) where returnValue.meaning == .refusedMechanism && !isAuthorized {
                refusal = returnValue
                wasRefusedLate = true
            }
        }
        throw .noMechanism(refusal)
    }

    private borrowing func start(_ mechanism: Mechanism, with key: Object) throws(PKCS11Error) {
        var call = unsafe CK_MECHANISM(mechanism: mechanism.rawValue, pParameter: nil, ulParameterLen: 0)
        guard var parameters = mechanism.pssParameters else {
            return try check(.signInit, unsafe module.functions.pointee.C_SignInit(handle, &call, key.handle))
        }
        let returnValue = unsafe withUnsafeMutableBytes(of: &parameters) { bytes in
            unsafe call.pParameter = bytes.baseAddress
            unsafe call.ulParameterLen = CK_ULONG(bytes.count)
            return unsafe module.functions.pointee.C_SignInit(handle, &call, key.handle)
        }
        try check(.signInit, returnValue)
    }

    private borrowing func finish(_ input: [UInt8]) throws(PKCS11Error) -> [UInt8] {
        var input = input
        var signature = [UInt8](repeating: 0, count: Self.signatureCapacity)
        var length = CK_ULONG(signature.count)
        var returnValue = unsafe module.functions.pointee.C_Sign(
            handle, &input, CK_ULONG(input.count), &signature, &length)
        if ReturnValue(rawValue: UInt(returnValue)) == .bufferTooSmall, length <= 65_536 {
            signature = [UInt8](repeating: 0, count: Int(length))
            returnValue = unsafe module.functions.pointee.C_Sign(
                handle, &input, CK_ULONG(input.count), &signature, &length)
        }
        try check(.sign, returnValue)
        guard length > 0, length <= CK_ULONG(signature.count) else {
            throw .nonsense(what: "C_Sign gave a signature of \(length) bytes")
        }
        return Array(signature.prefix(Int(length)))
    }
}

/// Turns PKCS#11's r‖s (PKCS#11 2.40 mechanisms §2.3.1) into DER `Ecdsa-Sig-Value` (RFC 3279 §2.2.3).
func ecdsaSignature(fromRaw raw: [UInt8]) throws(PKCS11Error) -> [UInt8] {
    guard !raw.isEmpty, raw.count.isMultiple(of: 2), raw.count <= 2 * 66 else {
        throw .nonsense(what: "an ECDSA signature of \(raw.count) bytes is no pair of equal halves")
    }
    let body = derInteger(raw.prefix(raw.count / 2)) + derInteger(raw.suffix(raw.count / 2))
    return [0x30] + derLength(body.count) + body
}

private func derInteger(_ magnitude: ArraySlice<UInt8>) -> [UInt8] {
    var digits = Array(magnitude.drop { $0 == 0 })
    if digits.first.map({ $0 >= 0x80 }) ?? true { digits.insert(0, at: 0) }  // a sign bit, or the number zero
    return [0x02] + derLength(digits.count) + digits
}

private func derLength(_ length: Int) -> [UInt8] {
    length < 0x80 ? [UInt8(length)] : [0x81, UInt8(length)]
}
