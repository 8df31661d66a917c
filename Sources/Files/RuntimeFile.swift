import Glibc
package import SystemPackage

/// A small file of the agent's own beside its socket. It outlives the agent, and ends with the runtime directory, which is
/// in memory.
package struct RuntimeFile: Sendable {
    package let path: String

    /// The most that is read, and so the most that is written, in bytes.
    package static let most = 1 << 20

    package init(path: String) { self.path = path }

    package enum Content: Equatable {
        case none
        /// Something stands there that this user has not written, so it is not believed.
        case foreign
        case unreadable
        case bytes([UInt8])
    }

    package func read() -> Content {
        do throws(Errno) {
            let file = try OpenFile(path, options: [.noFollow, .nonBlocking])
            let own = OwnerAndMode(
                .regular, of: [geteuid()], forbidden: [.groupReadWriteExecute, .otherReadWriteExecute])
            guard own.breach(of: try file.status()) == nil else { return .foreign }
            return .bytes(try file.contents(atMost: Self.most))
        } catch {
            return switch error {
            case .noSuchFileOrDirectory, .notDirectory: .none
            case .tooManySymbolicLinkLevels, .permissionDenied: .foreign
            default: .unreadable
            }
        }
    }

    /// Writes all of it, whole or not at all.
    package func write(_ bytes: [UInt8]) throws(Errno) {
        guard bytes.count <= Self.most else { throw .fileTooLarge }
        let new = "\(path).new"
        try FileName.remove(new)
        let options: FileDescriptor.OpenOptions = [.create, .exclusiveCreate, .noFollow]
        try OpenFile(new, .writeOnly, options: options, permissions: .ownerReadWrite).write(bytes)
        guard unsafe rename(new, path) == 0 else { throw .current }  // swift-system does not have it
    }

    package func remove() throws(Errno) { try FileName.remove(path) }
}
