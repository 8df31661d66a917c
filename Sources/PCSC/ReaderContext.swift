import CPCSCLite
import TokenService

/// A connection to pcscd. It asks about readers, and says nothing to a card but reset. One thread uses it at a time.
package struct ReaderContext: ~Copyable {
    private let handle: SCARDCONTEXT

    /// A virtual reader whose state is that of the list of readers (pcsc-lite, SCardGetStatusChange).
    private static let listOfReaders = Array(#"\\?PnP?\Notification"#.utf8)
    /// PCSCLITE_MAX_READERS_CONTEXTS: more in one call is SCARD_E_INVALID_PARAMETER.
    private static let mostReaders = 16
    /// 16 names of MAX_READERNAME bytes, with room for a later pcsc-lite.
    private static let longestList = 16_384

    /// - Throws: `PCSCError` when pcscd is not there or refuses; `PCSCService.probe` tells which.
    package init() throws(PCSCError) {
        var handle: SCARDCONTEXT = 0
        try PCSCError.check(unsafe SCardEstablishContext(DWORD(SCARD_SCOPE_SYSTEM), nil, nil, &handle))
        self.handle = handle
    }

    deinit { SCardReleaseContext(handle) }

    /// Every reader, in pcscd's order; at most 16.
    package func readers() throws(PCSCError) -> [Reader] {
        for _ in 0..<8 {  // a reader that goes between the two calls is not known to the second
            let names = try names()
            guard !names.isEmpty else { return [] }
            do throws(PCSCError) {
                return try change(of: names.map { ($0, UInt32(SCARD_STATE_UNAWARE)) }, milliseconds: 0)
            } catch {
                guard error == .unknownReader else { throw error }
            }
        }
        throw .unknownReader
    }

    /// Waits until a card or a reader comes or goes, or one that was held exclusively is free.
    ///
    /// It may come back without a change; a reader that comes just before the wait is seen at its end only.
    package func wait(from readers: [Reader], milliseconds: UInt32) throws(PCSCError) {
        do throws(PCSCError) {
            _ = try change(of: Self.known(readers), milliseconds: milliseconds)
        } catch {
            guard error == .timeout || error == .unknownReader else { throw error }
        }
    }

    /// The state that a wait starts from: the readers as they were, and their list, if there is room for it.
    static func known(_ readers: [Reader]) -> [(name: [UInt8], state: UInt32)] {
        let known = readers.map { ($0.name, $0.known) }
        return known.count < mostReaders ? known + [(listOfReaders, UInt32(SCARD_STATE_UNAWARE))] : known
    }

    /// The names of all readers, in pcscd's order; at most 16.
    package func names() throws(PCSCError) -> [[UInt8]] {
        var buffer = [CChar](repeating: 0, count: Self.longestList)
        var length = DWORD(buffer.count)
        do throws(PCSCError) {
            try PCSCError.check(unsafe SCardListReaders(handle, nil, &buffer, &length))
        } catch {
            guard error == .noReaders else { throw error }
            return []
        }
        return Array(CardReset.names(in: buffer.prefix(Int(clamping: length))).prefix(Self.mostReaders))
    }

    /// Resets the card in a reader, which ends every login on it: those of all programs.
    ///
    /// - Returns: winscard.h's code; 0 where it was reset.
    package func reset(_ reader: [UInt8]) -> UInt32 {
        var card: SCARDHANDLE = 0
        var protocolInUse: DWORD = 0
        var code = unsafe SCardConnect(
            handle, reader.map(CChar.init(bitPattern:)) + [0], DWORD(SCARD_SHARE_SHARED),
            DWORD(SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1), &card, &protocolInUse)
        if code == 0 { code = SCardDisconnect(card, DWORD(SCARD_RESET_CARD)) }
        return UInt32(truncatingIfNeeded: code)
    }

    private func change(of known: [(name: [UInt8], state: UInt32)], milliseconds: UInt32) throws(PCSCError) -> [Reader]
    {
        let text: [CChar] = known.flatMap { (name, _) in name.map { CChar(bitPattern: $0) } + [0] }
        var states = unsafe [SCARD_READERSTATE](repeating: SCARD_READERSTATE(), count: known.count)
        let code = unsafe text.withUnsafeBufferPointer { text in
            var offset = 0
            for (index, entry) in known.enumerated() {
                unsafe states[index].szReader = text.baseAddress?.advanced(by: offset)
                unsafe states[index].dwCurrentState = DWORD(entry.state)
                offset += entry.name.count + 1
            }
            return unsafe SCardGetStatusChange(handle, DWORD(milliseconds), &states, DWORD(known.count))
        }
        try PCSCError.check(code)
        return unsafe zip(known, states).map { (known, entry) in
            unsafe Reader(name: known.name, state: UInt32(truncatingIfNeeded: entry.dwEventState))
        }
    }
}
