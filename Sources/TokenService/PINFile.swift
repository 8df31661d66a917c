import Glibc

extension PIN {
    /// Reads a PIN out of a file, straight into its page: the first and only line, without its end.
    ///
    /// The file must be a regular one of this user or root's, and open to nobody else (mode & 077 == 0).
    ///
    /// - Parameter isCredential: A systemd credential (systemd.exec(5)) may show the group's read bit: it is the mask of
    ///   the access control list that lets the service's user in.
    package init(file path: String, isCredential: Bool) throws(PINError) {
        let file = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw .unreadable(errno: errno) }
        defer { close(file) }
        try Self.checkOwnership(of: file, othersMask: isCredential ? 0o037 : 0o077)
        try unsafe self.init { (page) throws(PINError) in
            let count = unsafe read(file, page.baseAddress, page.count)
            guard count >= 0 else { throw .unreadable(errno: errno) }
            var more: UInt8 = 0
            if count == page.count, unsafe read(file, &more, 1) == 1 { throw .tooLong }
            return try unsafe withoutLineEnd(UnsafeRawBufferPointer(rebasing: page[..<count]))
        }
    }

    private static func checkOwnership(of file: Int32, othersMask: mode_t) throws(PINError) {
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw .unreadable(errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unsafeFile(reason: "it is not a regular file") }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw .unsafeFile(reason: "it belongs to user \(status.st_uid)")
        }
        guard status.st_mode & othersMask == 0 else {
            let mode = String(status.st_mode & 0o7777, radix: 8)
            throw .unsafeFile(reason: "its mode is \(mode), and other users must not read it: chmod 600")
        }
    }
}

/// The length of the text without one line end; throws for any other control byte.
package func withoutLineEnd(_ text: UnsafeRawBufferPointer) throws(PINError) -> Int {
    var count = text.count
    if count > 0, unsafe text[count - 1] == UInt8(ascii: "\n") { count -= 1 }
    if count < text.count, count > 0, unsafe text[count - 1] == UInt8(ascii: "\r") { count -= 1 }
    guard unsafe text[..<count].allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { throw .controlByte }
    return count
}

extension PINError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "it is empty"
        case .tooLong: "it is longer than \(PIN.capacity) bytes"
        case .controlByte: "it has a control character in it, or more than one line"
        case .notUTF8: "it is not UTF-8 text, as tokens want a PIN to be; save it as UTF-8"
        case .unreadable(let error): unsafe String(cString: strerror(error))
        case .unsafeFile(let reason): reason
        case .noMemory: "no memory for it"
        }
    }
}
