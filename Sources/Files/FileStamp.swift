import SystemPackage

/// Which file a path leads to, and in which state: another stamp may mean other content.
package struct FileStamp: Hashable, Sendable {
    private let device: DeviceID
    private let inode: Inode
    private let size: Int64
    /// Nanoseconds since 1970. st_ctim: it changes with the content and with the mode, and cannot be set back.
    private let changed: Int64

    /// - Returns: Nil where the file cannot be looked at.
    package init?(_ path: String) {
        guard let status = try? unsafe Stat(path) else { return nil }
        device = status.deviceID
        inode = status.inode
        size = status.size
        changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
    }
}
