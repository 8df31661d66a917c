import Files
import SystemPackage

/// Reads files that decide who gets credentials. Each must be a regular file, no symbolic link, owned by root or by the
/// agent's own user, and writable by its owner only.
struct GuardedFile {
    struct Refusal: Error {
        /// What is wrong; what to do.
        let message: String

        init(_ message: String) { self.message = message }

        init(_ error: Errno) { message = "cannot be read: \(error); check its owner and its mode" }
    }

    static let maximumSize = 1 << 20
    static let maximumEntries = 256

    let owner: UInt32

    /// - Returns: The file's content; nil when there is none.
    func read(_ path: String) throws(Refusal) -> [UInt8]? {
        guard let file = try open(path, .nonBlocking) else { return nil }
        try check(file, is: .regular, "a regular file")
        do throws(Errno) {
            return try file.contents(atMost: Self.maximumSize)
        } catch .fileTooLarge {
            throw Refusal("more than 1 MiB; a configuration is smaller")
        } catch {
            throw Refusal(error)
        }
    }

    /// The names in a directory that end in `suffix`, hidden ones apart, in the order of their bytes; nil when there is
    /// no such directory.
    func names(in path: String, suffix: String) throws(Refusal) -> [String]? {
        guard let directory = try open(path, .directory) else { return nil }
        try check(directory, is: .directory, "a directory")
        var names: [[UInt8]] = []
        do throws(Errno) {
            try directory.names { name in
                if name.first != UInt8(ascii: "."), name.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) {
                    names.append(name)
                }
                return names.count <= Self.maximumEntries
            }
        } catch {
            throw Refusal(error)
        }
        guard names.count <= Self.maximumEntries else {
            throw Refusal("more than \(Self.maximumEntries) files; join some of them")
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
    }

    private func open(_ path: String, _ options: FileDescriptor.OpenOptions) throws(Refusal) -> OpenFile? {
        do throws(Errno) {
            return try OpenFile(path, options: options.union(.noFollow))
        } catch .noSuchFileOrDirectory {
            return nil
        } catch .tooManySymbolicLinkLevels {
            throw Refusal(
                "a symbolic link, which others could turn; put the file itself here (of a Kubernetes volume: by subPath)"
            )
        } catch .notDirectory where options.contains(.directory) {
            throw Refusal("not a directory, or a symbolic link to one; put the directory itself here")
        } catch {
            throw Refusal(error)
        }
    }

    private func check(_ file: borrowing OpenFile, is type: FileType, _ name: String) throws(Refusal) {
        let rule = OwnerAndMode(type, of: [0, owner], forbidden: [.groupWrite, .otherWrite])
        let breach: OwnerAndMode.Breach?
        do throws(Errno) { breach = rule.breach(of: try file.status()) } catch { throw Refusal(error) }
        switch breach {
        case nil: return
        case .type: throw Refusal("not \(name); put one here")
        case .hiddenOwner: throw Refusal("\(KnownIDs.hidden); \(KnownIDs.cure)")
        case .owner(let other):
            throw Refusal("owned by user \(other); make it root's, or the agent's own (user \(owner))")
        case .mode(let mode): throw Refusal("others may write it (mode \(mode)); run 'chmod go-w' on it")
        }
    }
}
