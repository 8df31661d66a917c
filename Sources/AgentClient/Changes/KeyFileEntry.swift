import CLinux
import Encodings
import Glibc
import LockedMemory
import PlainText

/// A file with a private key in it, as its owner hands it over: read with the caller's rights into locked pages, and parsed by
/// the keeper alone.
package struct KeyFileEntry: ~Copyable {
    /// In bytes, as the keeper's limit.
    package static let largest = 1 << 20

    private let path: String
    private let descriptor: Int32
    private let bytes: SecretBuffer

    /// - Parameter isToBeShredded: Whether `shred` follows: then the file must be one that can be written to, and no link.
    /// - Throws: Exit code 66 for a file that cannot be read, 64 for what is no regular file or too large.
    package init(path: String, isToBeShredded: Bool) throws(ClientFailure) {
        let flags = O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (isToBeShredded ? O_RDWR | O_NOFOLLOW : O_RDONLY)
        let descriptor = unsafe open(path, flags)
        guard descriptor >= 0 else { throw Self.failure(path, clinux_errno(), isToBeShredded) }
        do throws(ClientFailure) {
            bytes = try Self.read(descriptor, path)
        } catch {
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    private static func read(_ descriptor: Int32, _ path: String) throws(ClientFailure) -> SecretBuffer {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure(path, clinux_errno(), false) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw failure(path, EISDIR, false)
        default: throw refused("\(path.quoted) is no regular file")
        }
        guard status.st_size <= largest else {
            throw refused("\(path.quoted) has \(status.st_size) bytes, more than \(largest), and is no key file")
        }
        var bytes = try SecretBuffer.make(capacity: largest + 1, isLocked: true)
        while try bytes.readSome(from: descriptor, path.quoted) > 0 {}
        guard bytes.count <= largest else { throw refused("\(path.quoted) grows while it is read") }
        guard bytes.count > 0 else { throw refused("\(path.quoted) is empty") }
        return bytes
    }

    /// Whether it may need a password: PKCS#12 and DER look alike until they are parsed; PEM says it.
    package var mayBeEncrypted: Bool {
        bytes.withBytes { bytes in
            if bytes[0] == 0x30 { return true }
            let word = Array("ENCRYPTED".utf8)
            return bytes.indices.contains { start in
                bytes[start] == word[0] && start + word.count <= bytes.count
                    && word.indices.allSatisfy { bytes[start + $0] == word[$0] }
            }
        }
    }

    /// Appends the file to a request in base 64 (RFC 4648 §4): characters that JSON needs no escape for.
    borrowing func append(to request: inout SecretBuffer) throws(ClientFailure) {
        let count = bytes.withBytes { bytes in
            unsafe request.append { room in
                guard room.count >= Base64.length(of: bytes.count) else { return 0 }
                var written = 0
                Base64.encode(bytes) { character in
                    unsafe room[written] = character
                    written += 1
                }
                return written
            }
        }
        guard count > 0 else { throw .tooLongRequest }
    }

    /// Overwrites the file and removes its name.
    ///
    /// - Throws: Exit code 74 in words: the file may be there still.
    package borrowing func shred() throws(ClientFailure) {
        let zeros = [UInt8](repeating: 0, count: 4096)
        var place = 0
        while place < bytes.count {
            let count = unsafe pwrite(descriptor, zeros, min(zeros.count, bytes.count - place), place)
            guard count > 0 || clinux_errno() == EINTR else { throw left("cannot be overwritten") }
            place += max(0, count)
        }
        guard fsync(descriptor) == 0 else { throw left("cannot be overwritten on the disk") }
        var (opened, named) = (stat(), stat())
        guard unsafe fstat(descriptor, &opened) == 0, unsafe lstat(path, &named) == 0, opened.st_ino == named.st_ino,
            opened.st_dev == named.st_dev
        else { throw left("was overwritten, but its name is another file's by now, which") }
        guard unsafe unlink(path) == 0 else { throw left("was overwritten, but") }
    }

    private func left(_ what: String) -> ClientFailure {
        ClientFailure(
            .noPermission,
            "the key is on the token, but \(path.quoted) \(what) is not removed (errno \(clinux_errno()))",
            hint: "remove the file yourself")
    }

    private static func failure(_ path: String, _ error: Int32, _ isToBeShredded: Bool) -> ClientFailure {
        switch error {
        case ENOENT: ClientFailure(.noInput, "there is no file \(path.quoted)", hint: "look at the path")
        case EISDIR: refused("\(path.quoted) is a folder")
        case ELOOP where isToBeShredded: refused("\(path.quoted) is a symbolic link, and --shred takes the file itself")
        case EACCES, EPERM, EROFS:
            ClientFailure(
                .noInput, "\(path.quoted) cannot be \(isToBeShredded ? "read and overwritten" : "read") by you",
                hint: isToBeShredded ? "leave --shred out, or look at its mode" : "look at its owner and mode")
        default:
            ClientFailure(.noInput, "\(path.quoted) cannot be opened (errno \(error))", hint: "look at the path")
        }
    }

    private static func refused(_ detail: String) -> ClientFailure {
        ClientFailure(.usage, detail, hint: "give a .pfx, .p12, PEM or PKCS#8 file; nothing was sent to the token")
    }
}
