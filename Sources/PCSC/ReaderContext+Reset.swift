import CPCSCLite

extension ReaderContext {
    /// Resets the card in a reader, which ends every login on it: those of all programs.
    ///
    /// - Parameter name: The reader's name, or the first 64 bytes of it, the size of a PKCS#11 slot's description.
    /// - Throws: What leaves a card with its login. A card that has gone or was reset in this moment has none.
    package func resetCards(inReaderNamed name: [UInt8]) throws(PCSCError) {
        for reader in try names() where name.count < 64 ? reader == name : reader.starts(with: name) {
            do throws(PCSCError) {
                try reset(reader)
            } catch {
                guard error.saysNoLogin else { throw error }
            }
        }
    }

    private func reset(_ reader: [UInt8]) throws(PCSCError) {
        var card: SCARDHANDLE = 0
        var protocolInUse: DWORD = 0
        try PCSCError.check(
            unsafe SCardConnect(
                handle, reader.map(CChar.init(bitPattern:)) + [0], DWORD(SCARD_SHARE_SHARED),
                DWORD(SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1), &card, &protocolInUse))
        try PCSCError.check(SCardDisconnect(card, DWORD(SCARD_RESET_CARD)))
    }
}

extension PCSCError {
    /// SCARD_E_UNKNOWN_READER, SCARD_E_NO_SMARTCARD, SCARD_E_READER_UNAVAILABLE, SCARD_W_RESET_CARD, SCARD_W_REMOVED_CARD
    fileprivate var saysNoLogin: Bool {
        [0x8010_0009, 0x8010_000C, 0x8010_0017, 0x8010_0068, 0x8010_0069].contains(code)
    }
}
