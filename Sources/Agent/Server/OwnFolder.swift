import Files
import Glibc
import SystemPackage

/// The folder of a socket or of a token file, where no other user can put a file of their own in its place.
enum OwnFolder {
    /// Checks the folder and all above it, and makes it where it alone is missing.
    ///
    /// - Parameter mode: Of a folder that is made, whatever the umask is.
    /// - Returns: Its path, with every symbolic link resolved.
    static func resolved(_ path: String, mode: mode_t) throws(ListenerError) -> String {
        let real: String
        do throws(Errno) {
            real = try FileName.resolved(path)
        } catch .noSuchFileOrDirectory {
            real = try made(path, mode: mode)
        } catch {
            throw .failed(call: "realpath", path: path, errno: error)
        }
        try checkChain(real)
        return real
    }

    /// Makes the folder under one that has been checked: from there on no other user can rename it, or swap it for theirs.
    private static func made(_ path: String, mode: mode_t) throws(ListenerError) -> String {
        let (parent, name) = SocketPath.split(path)
        let real: String
        do throws(Errno) {
            real = try FileName.resolved(parent)
        } catch {
            throw .failed(call: "mkdir", path: path, errno: error)
        }
        try checkChain(real)
        let folder = SocketPath.join(real, name)
        do throws(Errno) {
            guard unsafe mkdir(folder, 0o700) == 0 else {
                // Another has made it meanwhile, or it is a link that leads to nothing.
                guard errno == EEXIST else { throw .current }
                return try FileName.resolved(folder)
            }
            let open = try OpenFile(folder, options: [.directory, .noFollow])
            guard OwnerAndMode(.directory, of: [geteuid()]).breach(of: try open.status()) == nil else {
                throw .notPermitted
            }
            guard fchmod(open.number, mode) == 0 else { throw .current }
        } catch {
            throw .failed(call: "mkdir", path: path, errno: error)
        }
        return folder
    }

    /// A user who can write to the directory, or rename one above it, can replace our file by one of their own.
    private static func checkChain(_ directory: String) throws(ListenerError) {
        let rule = OwnerAndMode(
            .directory, of: [0, geteuid()], forbidden: [.groupWrite, .otherWrite], unlessStickyOf: [0])
        var current = directory
        while true {
            let status: Stat
            do throws(Errno) {
                status = try unsafe Stat(current, followTargetSymlink: false)
            } catch {
                throw .failed(call: "lstat", path: current, errno: error)
            }
            switch rule.breach(of: status) {
            case nil: break
            case .type: throw .unusable(path: current, reason: "it is no directory")
            case .hiddenOwner: throw .ownerHidden(path: current)
            case .owner(let owner): throw .unusable(path: current, reason: "the directory belongs to uid \(owner)")
            case .mode: throw .unusable(path: current, reason: "others can write to the directory (chmod go-w)")
            }
            if current == "/" { return }
            current = SocketPath.split(current).directory
        }
    }
}
