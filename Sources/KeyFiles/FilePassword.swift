import LockedMemory

/// The password of a key file, in a locked page.
package struct FilePassword: ~Copyable, Sendable {
    /// Without one a file that needs one is refused.
    private let isGiven: Bool
    private let memory: SecretBuffer

    /// None was given.
    package init() throws(KeyFileError) {
        isGiven = false
        memory = try Self.page()
    }

    /// An empty one has two spellings in PKCS#12: no character with the zero that ends a text, and nothing at all (RFC 7292
    /// §B.1). Files are written with either, so both are tried, as OpenSSL's PKCS12_parse does.
    package init(_ bytes: Span<UInt8>) throws(KeyFileError) {
        var page = try Self.page()
        guard page.insert(bytes, at: 0) else { throw .wrongPassword }
        isGiven = true
        memory = page
    }

    private static func page() throws(KeyFileError) -> SecretBuffer {
        guard let page = SecretBuffer(capacity: PIN.capacity, isLocked: true) else { throw .noMemory }
        return page
    }
}

extension FilePassword {
    /// Lends the password to `body` in the way that OpenSSL takes it: the characters and their number; nil for none at all.
    ///
    /// - Parameter body: It is run a second time where the first spelling of an empty password is wrong.
    borrowing func use<Result: ~Copyable>(
        _ body: (UnsafePointer<CChar>?, Int32) throws(KeyFileError) -> Result
    ) throws(KeyFileError) -> Result {
        if memory.count > 0 {
            return try memory.withBytes { (bytes) throws(KeyFileError) in
                try unsafe bytes.withUnsafeBytes { (buffer) throws(KeyFileError) in
                    let characters = unsafe buffer.bindMemory(to: CChar.self)
                    return try unsafe body(characters.baseAddress, Int32(characters.count))
                }
            }
        }
        do throws(KeyFileError) {
            let end: CChar = 0
            return try unsafe withUnsafePointer(to: end) { (end) throws(KeyFileError) in try unsafe body(end, 0) }
        } catch .wrongPassword {
        }
        do throws(KeyFileError) {
            return try body(nil, 0)
        } catch .wrongPassword {
            throw isGiven ? .wrongPassword : .passwordNeeded
        }
    }
}
