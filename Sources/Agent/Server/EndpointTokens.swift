import CLinux
import Files
import Glibc
import Synchronization
import SystemPackage

/// The bearer tokens of a loopback endpoint, and the file that its clients read the newest from: 0600, and whole at every
/// moment.
final class EndpointTokens: Sendable {
    /// The file, and its stamp as it was written.
    private struct Written {
        var file: TokenFileSetting
        var stamp: FileStamp
        /// The endpoint is closed, and no file is written any more.
        var isOver = false
    }

    private let tokens: Mutex<TokenPair>
    /// Held while a file is written, which may take its time; requests are judged meanwhile.
    private let written: Mutex<Written>

    /// Writes the first token.
    ///
    /// - Parameter boot: Boot time in milliseconds, as in the other calls.
    init(_ file: TokenFileSetting, at boot: Int64) throws(ListenerError) {
        let token = BearerToken.random()
        written = Mutex(Written(file: file, stamp: try Self.write(token, to: file)))
        tokens = Mutex(TokenPair(token, at: boot))
    }

    func accepts(_ presented: BearerToken) -> Bool { tokens.withLock { $0.accepts(presented) } }

    /// Puts a new token into the file where it is time, where the file is not what was written, or where it is another one
    /// from now on. The token before stays good, unless one who could read it may not any more.
    func tend(_ new: TokenFileSetting? = nil, at boot: Int64) throws(ListenerError) {
        try written.withLock { (written) throws(ListenerError) in
            guard !written.isOver else { return }
            let file = new ?? written.file
            let isDue = tokens.withLock { $0.isDue(at: boot) }
            guard file != written.file || isDue || !Self.isThere(written) else { return }
            let token = BearerToken.random()
            // Good before a client can read it.
            tokens.withLock { $0.prepare(token) }
            let stamp = try Self.write(token, to: file)
            if file.path != written.file.path { Self.remove(written) }
            let isKept = written.file.readers.isSubset(of: file.readers)
            tokens.withLock { $0.rotate(to: token, keepsPrevious: isKept, at: boot) }
            written = Written(file: file, stamp: stamp)
        }
    }

    /// Removes the file, if it is still as it was written, and writes none any more. It may wait for a write; once it has
    /// been called, another call looks at no file.
    func removeFile() {
        written.withLock { written in
            guard !written.isOver else { return }
            written.isOver = true
            Self.remove(written)
        }
    }

    private static func remove(_ written: Written) {
        // One that stays is of no use: the tokens die with the agent.
        if isThere(written) { try? FileName.remove(written.file.path) }
    }

    private static func isThere(_ written: Written) -> Bool { FileStamp(written.file.path) == written.stamp }

    private static func write(_ token: BearerToken, to file: TokenFileSetting) throws(ListenerError) -> FileStamp {
        let place = try TokenPlace(file.path, isShared: !file.readers.isEmpty)
        do throws(Errno) {
            let new = "\(place.folder)/.tokenward-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
            let open = try OpenFile(
                new, .writeOnly, options: [.create, .exclusiveCreate, .noFollow], permissions: .ownerReadWrite)
            do throws(Errno) {
                if !file.readers.isEmpty { try setReaders(file.readers, of: open) }
                try open.write(token.content)
                guard unsafe rename(new, place.path) == 0 else { throw .current }
            } catch {
                try? FileName.remove(new)  // the error is what matters
                throw error
            }
            guard let stamp = FileStamp(place.path) else { throw .noSuchFileOrDirectory }
            return stamp
        } catch {
            guard error != .notSupported else {
                throw .unusable(path: file.path, reason: "its file system has no access lists, which readers needs")
            }
            throw .failed(call: "writing the token", path: file.path, errno: error)
        }
    }

    private static func setReaders(_ readers: Set<UInt32>, of file: borrowing OpenFile) throws(Errno) {
        let list = AccessList.bytes(readers: readers)
        let error = unsafe clinux_set_access_list(file.number, list, list.count)
        guard error == 0 else { throw Errno(rawValue: error) }
    }
}

/// The place of a token file, in a folder that only the agent's user can write to.
private struct TokenPlace {
    /// With every symbolic link resolved.
    let folder: String
    let path: String

    /// Checks the place, and makes the folder when it alone is missing.
    ///
    /// - Parameter isShared: Whether other users must get through the folder.
    init(_ path: String, isShared: Bool) throws(ListenerError) {
        let (directory, name) = SocketPath.split(path)
        folder = try OwnFolder.resolved(directory, mode: isShared ? 0o755 : 0o700)
        let status: Stat
        do throws(Errno) {
            status = try unsafe Stat(folder, followTargetSymlink: false)
        } catch {
            throw .failed(call: "lstat", path: folder, errno: error)
        }
        let rule = OwnerAndMode(.directory, of: [geteuid()], forbidden: [.groupWrite, .otherWrite])
        guard rule.breach(of: status) == nil else {
            throw .unusable(
                path: folder, reason: "the folder of a token file must be writable by the agent's user alone")
        }
        self.path = SocketPath.join(folder, name)
        try checkContent()
    }

    /// A file that is no token is not written over: the setting may name it by mistake.
    private func checkContent() throws(ListenerError) {
        do throws(Errno) {
            let file = try OpenFile(path, options: [.noFollow, .nonBlocking])
            // The group's bits are the mask of an access list.
            let rule = OwnerAndMode(.regular, of: [geteuid()], forbidden: [.groupWrite, .otherReadWriteExecute])
            let isOwn = rule.breach(of: try file.status()) == nil
            if isOwn, BearerToken(content: try file.contents(atMost: BearerToken.length)) != nil { return }
        } catch {
            if error == .noSuchFileOrDirectory { return }
        }
        throw .unusable(path: path, reason: "what is there is no token of an agent; move it away")
    }
}
