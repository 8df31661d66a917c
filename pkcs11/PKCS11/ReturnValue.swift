import CP11Kit

/// What a PKCS#11 function answered. An open set: vendors add codes (PKCS#11 2.40 §11.1).
package struct ReturnValue: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt
    package init(rawValue: UInt) { self.rawValue = rawValue }
}

extension ReturnValue: CustomStringConvertible {
    /// The C name, or the number where the header has none: `CKR_PIN_INCORRECT`, `CKR_VENDOR_DEFINED+0x12`, `0x777`.
    package var description: String {
        if let name = returnValueNames[rawValue] { return "\(name)" }
        let vendorDefined = UInt(ckr_vendor_defined)
        guard rawValue >= vendorDefined else { return "0x\(String(rawValue, radix: 16))" }
        return "CKR_VENDOR_DEFINED+0x\(String(rawValue - vendorDefined, radix: 16))"
    }
}

/// The codes that are reacted to one by one; the rest by their `meaning`. Each is named in words; the C name stands beside it.
extension ReturnValue {
    private init(_ code: some BinaryInteger) { rawValue = UInt(code) }

    /// `CKR_ARGUMENTS_BAD`: from C_Initialize, what NSS says of a missing init string.
    package static var argumentsBad: Self { .init(CKR_ARGUMENTS_BAD) }
    /// `CKR_BUFFER_TOO_SMALL`: the operation is still active, and the length that it needs was returned.
    package static var bufferTooSmall: Self { .init(CKR_BUFFER_TOO_SMALL) }
    /// `CKR_ATTRIBUTE_SENSITIVE`: the attribute exists, and the token keeps it to itself.
    package static var attributeSensitive: Self { .init(CKR_ATTRIBUTE_SENSITIVE) }
    /// `CKR_ATTRIBUTE_TYPE_INVALID`: the object has no such attribute.
    package static var attributeTypeInvalid: Self { .init(CKR_ATTRIBUTE_TYPE_INVALID) }
    /// `CKR_CRYPTOKI_NOT_INITIALIZED`: the module has lost all its state.
    package static var notInitialized: Self { .init(CKR_CRYPTOKI_NOT_INITIALIZED) }
    /// `CKR_DEVICE_REMOVED`: the token left during the call.
    package static var deviceRemoved: Self { .init(CKR_DEVICE_REMOVED) }
    /// `CKR_TOKEN_NOT_PRESENT`: there is no token in the slot.
    package static var tokenNotPresent: Self { .init(CKR_TOKEN_NOT_PRESENT) }
    /// `CKR_TOKEN_NOT_RECOGNIZED`: the module does not know what is in the slot.
    package static var tokenNotRecognized: Self { .init(CKR_TOKEN_NOT_RECOGNIZED) }
    /// `CKR_SLOT_ID_INVALID`: slot numbers have changed.
    package static var slotIDInvalid: Self { .init(CKR_SLOT_ID_INVALID) }
    /// `CKR_SESSION_HANDLE_INVALID`: the session is gone, as after a card was pulled.
    package static var sessionHandleInvalid: Self { .init(CKR_SESSION_HANDLE_INVALID) }
    /// `CKR_SESSION_CLOSED`: the session was closed during the call.
    package static var sessionClosed: Self { .init(CKR_SESSION_CLOSED) }
    /// `CKR_SESSION_COUNT`: the token has no session left.
    package static var sessionCount: Self { .init(CKR_SESSION_COUNT) }
    /// `CKR_OPERATION_ACTIVE`: an earlier operation was left open in this session.
    package static var operationActive: Self { .init(CKR_OPERATION_ACTIVE) }
    /// `CKR_OPERATION_NOT_INITIALIZED`: there is no operation that the call could go on with.
    package static var operationNotInitialized: Self { .init(CKR_OPERATION_NOT_INITIALIZED) }
    /// `CKR_USER_TYPE_INVALID`: the token knows no such login, as for a single operation.
    package static var userTypeInvalid: Self { .init(CKR_USER_TYPE_INVALID) }
    /// `CKR_SESSION_READ_ONLY`: the session cannot do that, or the module has none that cannot write.
    package static var sessionReadOnly: Self { .init(CKR_SESSION_READ_ONLY) }
    /// `CKR_USER_ALREADY_LOGGED_IN`: this process is logged in; it says nothing about the PIN that was given.
    package static var userAlreadyLoggedIn: Self { .init(CKR_USER_ALREADY_LOGGED_IN) }
    /// `CKR_PIN_EXPIRED`: the PIN was right, and must be changed before anything else.
    package static var pinExpired: Self { .init(CKR_PIN_EXPIRED) }
    /// `CKR_FUNCTION_FAILED`: the function did not do its work.
    package static var functionFailed: Self { .init(CKR_FUNCTION_FAILED) }
}
