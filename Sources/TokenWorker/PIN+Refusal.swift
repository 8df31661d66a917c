import TokenService

extension PIN {
    /// Why the token is not even asked.
    ///
    /// - Parameter lengths: What the token takes, in bytes.
    borrowing func refusal(_ request: LoginRequest, lengths: ClosedRange<Int>) -> LoginRefusal? {
        if isReserved { return request.mayBeReserved ? nil : .reserved }  // no PIN, so no length to hold to
        if hasControlByte { return .controlByte }
        guard lengths.contains(count) else {
            return .length(
                shortest: UInt32(clamping: lengths.lowerBound), longest: UInt32(clamping: lengths.upperBound))
        }
        return nil
    }

    /// Words that ykcs11 takes for commands: it logs in without any PIN, or by fingerprint.
    private var isReserved: Bool {
        unsafe withBytes { bytes in
            ["VERIFY_NONE", "VERIFY_BIO"].contains { unsafe bytes.elementsEqual($0.utf8) }
        }
    }

    /// Modules hand a PIN on as text: what follows a zero byte would be left out, and another PIN spend a try.
    private var hasControlByte: Bool { unsafe withBytes { bytes in unsafe bytes.contains { $0 < 0x20 || $0 == 0x7F } } }
}
