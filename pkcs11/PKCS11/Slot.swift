import CP11Kit
package import PKCS11URI

/// A place for a token.
package struct Slot: Sendable {
    /// More slots than any module shows.
    static let limit = 1024
    /// More mechanisms than any token lists.
    private static let mechanismLimit = 4096

    let module: Module
    let identifier: CK_SLOT_ID

    init(module: Module, id: CK_SLOT_ID) {
        self.module = module
        identifier = id
    }

    package var id: UInt64 { UInt64(identifier) }

    /// What the slot is (C_GetSlotInfo).
    package func description() throws(PKCS11Error) -> SlotDescription {
        var info = CK_SLOT_INFO()
        try check(.getSlotInfo, unsafe module.functions.pointee.C_GetSlotInfo(identifier, &info))
        return SlotDescription(
            description: unpadded(info.slotDescription), manufacturer: unpadded(info.manufacturerID))
    }

    /// The token in the slot (C_GetTokenInfo).
    ///
    /// - Throws: `.tokenNotPresent`, `.tokenNotRecognized`, `.slotIDInvalid`, or the module's own error.
    package func token() throws(PKCS11Error) -> TokenInformation {
        var info = CK_TOKEN_INFO()
        try check(.getTokenInfo, unsafe module.functions.pointee.C_GetTokenInfo(identifier, &info))
        return TokenInformation(
            description: TokenDescription(
                label: unpadded(info.label), manufacturer: unpadded(info.manufacturerID),
                model: unpadded(info.model), serial: unpadded(info.serialNumber)),
            flags: UInt64(info.flags), shortestPIN: Int(clamping: info.ulMinPinLen),
            longestPIN: Int(clamping: info.ulMaxPinLen))
    }

    /// The numbers of the mechanisms that the token lists (C_GetMechanismList).
    package func mechanisms() throws(PKCS11Error) -> Set<UInt64> {
        var count: CK_ULONG = 0
        try check(.getMechanismList, unsafe module.functions.pointee.C_GetMechanismList(identifier, nil, &count))
        guard count <= Self.mechanismLimit else {
            throw .overLimit(what: "a mechanism count", value: UInt(count), limit: Self.mechanismLimit)
        }
        var mechanisms = [CK_MECHANISM_TYPE](repeating: 0, count: Int(count))
        let capacity = count
        try check(
            .getMechanismList, unsafe module.functions.pointee.C_GetMechanismList(identifier, &mechanisms, &count))
        guard count <= capacity else {
            throw .nonsense(what: "C_GetMechanismList wrote more mechanisms than it had room for")
        }
        return Set(mechanisms.prefix(Int(count)).map { UInt64($0) })
    }
}

/// CK_TOKEN_INFO: who the token is, and the state of its PIN. True at the moment of the call only.
package struct TokenInformation: Hashable, Sendable {
    package let description: TokenDescription
    /// The CKF flags.
    package let flags: UInt64
    /// In bytes.
    package let shortestPIN: Int
    package let longestPIN: Int
}

/// The bytes of a fixed-size field without its padding: blanks by the standard, NULs from some tokens.
func unpadded<Field>(_ field: Field) -> [UInt8] {
    let bytes = unsafe withUnsafeBytes(of: field) { unsafe [UInt8]($0) }
    let end = bytes.lastIndex { $0 != UInt8(ascii: " ") && $0 != 0 }
    return Array(bytes[..<(end.map { $0 + 1 } ?? 0)])
}
