import Glibc
import TokenService

/// The part of libpcsclite that ends a login on the card itself, in the copy that the module has loaded: this process
/// links none. Names and numbers are those of winscard.h and pcsclite.h.
@safe struct LoadedPCSC: ~Copyable {
    private typealias Establish =
        @convention(c) (UInt, OpaquePointer?, OpaquePointer?, UnsafeMutablePointer<Int>) -> Int
    private typealias Release = @convention(c) (Int) -> Int
    private typealias ListReaders =
        @convention(c) (
            Int, OpaquePointer?, UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<UInt>
        ) -> Int
    private typealias Connect =
        @convention(c) (
            Int, UnsafePointer<CChar>, UInt, UInt, UnsafeMutablePointer<Int>, UnsafeMutablePointer<UInt>
        ) -> Int
    private typealias Disconnect = @convention(c) (Int, UInt) -> Int

    private let library: UnsafeMutableRawPointer
    private let context: Int
    private let release: Release
    private let listReaders: ListReaders
    private let connect: Connect
    private let disconnect: Disconnect

    /// Nil where the module uses no card readers, or the service is not there, and then nobody has the card.
    init?() {
        guard let library = unsafe dlopen("libpcsclite.so.1", RTLD_LAZY | RTLD_NOLOAD) else { return nil }
        var context = 0
        guard let establish = unsafe Self.function("SCardEstablishContext", of: library, as: Establish.self),
            let release = unsafe Self.function("SCardReleaseContext", of: library, as: Release.self),
            let listReaders = unsafe Self.function("SCardListReaders", of: library, as: ListReaders.self),
            let connect = unsafe Self.function("SCardConnect", of: library, as: Connect.self),
            let disconnect = unsafe Self.function("SCardDisconnect", of: library, as: Disconnect.self),
            unsafe establish(2, nil, nil, &context) == 0  // SCARD_SCOPE_SYSTEM
        else {
            unsafe dlclose(library)
            return nil
        }
        unsafe self.library = unsafe library
        self.context = context
        self.release = release
        unsafe self.listReaders = unsafe listReaders
        unsafe self.connect = unsafe connect
        self.disconnect = disconnect
    }

    deinit {
        _ = release(context)
        unsafe dlclose(library)
    }

    /// Resets the card in the reader that the slot stands for.
    ///
    /// - Parameter slotDescription: The reader's name, or, by the size of its field, the first 64 bytes of it.
    /// - Returns: The code of what went wrong, 0 where no card is left with a login.
    func reset(slotDescription: [UInt8]) -> UInt32 {
        CardReset.failure(of: slotDescription, among: readers()) { reader in
            var card = 0
            var protocolInUse: UInt = 0
            // SCARD_SHARE_SHARED, and either protocol
            var code = unsafe connect(context, reader.map(CChar.init(bitPattern:)) + [0], 2, 3, &card, &protocolInUse)
            if code == 0 { code = disconnect(card, 1) }  // SCARD_RESET_CARD
            return UInt32(truncatingIfNeeded: code)
        }
    }

    private func readers() -> [[UInt8]] {
        var names = [CChar](repeating: 0, count: 1 << 14)  // 16 readers of 128 bytes are pcscd's limit
        var count = UInt(names.count)
        guard unsafe listReaders(context, nil, &names, &count) == 0 else { return [] }
        return CardReset.names(in: names.prefix(Int(clamping: count)))
    }

    private static func function<Function>(
        _ name: String, of library: UnsafeMutableRawPointer, as type: Function.Type
    ) -> Function? {
        // What dlsym gives has no type; winscard.h says which it is.
        unsafe dlsym(library, name).map { unsafe unsafeBitCast($0, to: type) }
    }
}
