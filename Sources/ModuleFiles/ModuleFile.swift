import CLinux
import Files
import Glibc
import SystemPackage
package import TokenService

/// A module's library, looked at before a worker loads it: loading runs its constructors.
package enum ModuleFile {
    /// - Returns: The real path of a library that may be loaded.
    package static func library(at path: String) throws(Failure) -> String {
        let library = try check(path)
        guard namesFunctionList(library) else {
            throw Failure(reason: "\(path) is no PKCS#11 module: it has no C_GetFunctionList")
        }
        return library
    }

    /// Why a library is not loaded: one line that says what is wrong and what to do.
    package struct Failure: Error, Hashable {
        package let reason: String
    }

    /// Resolves symbolic links and checks that only root and this user can have put the library there.
    ///
    /// - Returns: The real path.
    static func check(_ path: String) throws(Failure) -> String {
        let real: String
        do throws(Errno) {
            real = try FileName.resolved(path)
        } catch {
            throw Failure(reason: "\(path): \(error); check the module's path")
        }
        // p11-kit's own library, which p11-kit-proxy.so is a link to.
        guard real.split(separator: "/").last?.hasPrefix("libp11-kit.so") != true else {
            throw Failure(reason: "\(path) \(proxy)")
        }
        var part = FilePath(real)
        repeat {
            if let fault = fault(with: part.string, isFile: part.string == real) { throw Failure(reason: fault) }
        } while part.removeLastComponent()
        return real
    }

    /// What is wrong with p11-kit's proxy; it follows the path.
    package static let proxy =
        "is p11-kit's proxy, which loads every registered module into one process; leave its [[module]] out, "
        + "which uses them all, or give the name of one that 'p11-kit list-modules' shows"

    /// Whether the library names `C_GetFunctionList`, as ssh-agent asks before it loads one: loading runs a library's
    /// constructors, and what is no PKCS#11 module shall not be run to find that out.
    static func namesFunctionList(_ path: String) -> Bool {
        guard let file = try? OpenFile(path, options: .nonBlocking) else { return false }
        return unsafe clinux_file_holds(file.number, "C_GetFunctionList") == 1
    }

    /// What makes two modules one, whatever their paths: the same file, with the same settings.
    package struct Identity: Hashable {
        private let device: DeviceID?
        private let inode: Inode?
        /// A file that is not there is only its path.
        private let path: String?
        private let settings: ModuleIdentity

        package init(_ module: ModuleIdentity) { self.init(module, try? unsafe Stat(module.path)) }

        /// Of a file that cannot be looked at.
        package init(unseen module: ModuleIdentity) { self.init(module, nil) }

        private init(_ module: ModuleIdentity, _ status: Stat?) {
            device = status?.deviceID
            inode = status?.inode
            path = status == nil ? module.path : nil
            settings = ModuleIdentity(path: "", environment: module.environment, initArguments: module.initArguments)
        }
    }

    private static func fault(with path: String, isFile: Bool) -> String? {
        let users: Set = [0, geteuid()]
        let rule = OwnerAndMode(
            isFile ? .regular : nil, of: users, forbidden: [.groupWrite, .otherWrite], unlessStickyOf: users)
        do throws(Errno) {
            return switch rule.breach(of: try unsafe Stat(path, followTargetSymlink: false)) {
            case nil: nil
            case .type: "\(path) is not a regular file"
            case .hiddenOwner: "\(path): \(KnownIDs.hidden); \(KnownIDs.cure)"
            case .owner(let owner):
                "\(path) belongs to user \(owner): only root or this user may own a module or its folders"
            case .mode(let mode): "\(path) can be changed by other users (mode \(mode)): chmod go-w it"
            }
        } catch {
            return "\(path): \(error)"
        }
    }
}
