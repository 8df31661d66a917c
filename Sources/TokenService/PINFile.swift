import Files
import Glibc
package import LockedMemory
import SystemPackage

extension PIN {
    /// Reads a PIN out of a file, straight into its page: the first and only line, without its end.
    ///
    /// The file must be a regular one of this user or root's, and open to nobody else (mode & 077 == 0).
    ///
    /// - Parameter isCredential: A systemd credential (systemd.exec(5)) may show the group's read bit: it is the mask of
    ///   the access control list that lets the service's user in.
    package init(file path: String, isCredential: Bool) throws(PINError) {
        let file = try Self.reading { () throws(Errno) in try OpenFile(path, options: [.noFollow, .nonBlocking]) }
        let status = try Self.reading { () throws(Errno) in try file.status() }
        try Self.check(status, isCredential: isCredential)
        try unsafe self.init { (page) throws(PINError) in
            let count = try Self.reading { () throws(Errno) in try unsafe file.read(into: page) }
            let more = try Self.reading { () throws(Errno) in try file.beginning(1) }
            guard more.isEmpty else { throw .tooLong }
            return unsafe withoutLineEnd(UnsafeRawBufferPointer(rebasing: page[..<count]))
        }
    }

    private static func reading<Value: ~Copyable>(_ call: () throws(Errno) -> Value) throws(PINError) -> Value {
        do throws(Errno) { return try call() } catch { throw .unreadable(errno: error.rawValue) }
    }

    private static func check(_ file: Stat, isCredential: Bool) throws(PINError) {
        let group: FilePermissions = isCredential ? .groupWriteExecute : .groupReadWriteExecute
        let rule = OwnerAndMode(.regular, of: [0, geteuid()], forbidden: [group, .otherReadWriteExecute])
        let reason: String
        switch rule.breach(of: file) {
        case nil: return
        case .type: reason = "it is not a regular file"
        case .hiddenOwner: reason = "\(KnownIDs.hidden); \(KnownIDs.cure)"
        case .owner(let owner): reason = "it belongs to user \(owner)"
        case .mode(let mode): reason = "its mode is \(mode), and other users must not read it: chmod 600"
        }
        throw .unsafeFile(reason: reason)
    }
}

/// The length of the text without one line end.
private func withoutLineEnd(_ text: UnsafeRawBufferPointer) -> Int {
    var count = text.count
    if count > 0, unsafe text[count - 1] == UInt8(ascii: "\n") { count -= 1 }
    if count < text.count, count > 0, unsafe text[count - 1] == UInt8(ascii: "\r") { count -= 1 }
    return count
}

extension PINError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "it is empty"
        case .tooLong: "it is longer than \(PIN.capacity) bytes"
        case .controlByte: "it has a control character in it, or more than one line"
        case .notUTF8: "it is not UTF-8 text, as tokens want a PIN to be; save it as UTF-8"
        case .unreadable(let error): "\(Errno(rawValue: error))"
        case .unsafeFile(let reason): reason
        case .noMemory: "no memory for it"
        }
    }
}
