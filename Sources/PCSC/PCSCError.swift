import CPCSCLite

/// A PC/SC function that failed, by the number that winscard.h gives its return code.
package struct PCSCError: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: UInt32

    package init(code: UInt32) { self.code = code }

    package static let timeout = Self(code: 0x8010_000A)
    package static let unknownReader = Self(code: 0x8010_0009)
    package static let noReaders = Self(code: 0x8010_002E)

    package var description: String {
        unsafe String(cString: pcsc_stringify_error(LONG(code)))
    }

    /// - Throws: Any code but SCARD_S_SUCCESS.
    static func check(_ code: LONG) throws(PCSCError) {
        guard code == 0 else { throw PCSCError(code: UInt32(truncatingIfNeeded: code)) }
    }
}
