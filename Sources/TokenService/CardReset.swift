/// The rules of the reset that ends a login on a card itself, for the two programs that do it: the worker with the
/// libpcsclite that its module has loaded, and the watcher in a dead worker's stead.
package enum CardReset {
    /// Resets the card in the reader that a slot stands for.
    ///
    /// - Parameters:
    ///   - slotDescription: The reader's name, or, by the size of its field, the first 64 bytes of it.
    ///   - readers: The names of all readers.
    ///   - reset: Resets one and gives winscard.h's return code.
    /// - Returns: The last code of what leaves a card with its login; 0 where none is left so.
    package static func failure(
        of slotDescription: [UInt8], among readers: [[UInt8]], reset: ([UInt8]) -> UInt32
    ) -> UInt32 {
        var failure: UInt32 = 0
        for reader in readers
        where slotDescription.count < 64 ? reader == slotDescription : reader.starts(with: slotDescription) {
            let code = reset(reader)
            if !withoutLogin.contains(code) { failure = code }
        }
        return failure
    }

    /// SCARD_S_SUCCESS, SCARD_E_UNKNOWN_READER, SCARD_E_NO_SMARTCARD, SCARD_E_READER_UNAVAILABLE, SCARD_W_RESET_CARD (it was
    /// reset in this moment), SCARD_W_REMOVED_CARD
    private static let withoutLogin: Set<UInt32> = [
        0, 0x8010_0009, 0x8010_000C, 0x8010_0017, 0x8010_0068, 0x8010_0069,
    ]

    /// The strings in a multi-string, as SCardListReaders gives it: each ends with a NUL, the last one with a second.
    package static func names(in multiString: some Collection<CChar>) -> [[UInt8]] {
        var names: [[UInt8]] = []
        var rest = multiString[...]
        while let end = rest.firstIndex(of: 0), end != rest.startIndex {
            names.append(rest[..<end].map(UInt8.init(bitPattern:)))
            rest = rest[rest.index(after: end)...]
        }
        return names
    }
}
