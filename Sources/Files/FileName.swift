import Glibc
package import SystemPackage

/// Calls on files by their names that swift-system 1.8 does not have.
package enum FileName {
    /// The path with every symbolic link resolved (realpath(3)).
    package static func resolved(_ path: String) throws(Errno) -> String {
        guard let resolved = unsafe realpath(path, nil) else { throw .current }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// What a symbolic link says (readlink(2)), cut to `PATH_MAX` bytes.
    package static func target(ofLink path: String) throws(Errno) -> [UInt8] {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink(path, &bytes, bytes.count)
        guard count >= 0 else { throw .current }
        return bytes.prefix(count).map { UInt8(bitPattern: $0) }
    }

    /// Removes the name (unlink(2)). One that is not there is removed already.
    package static func remove(_ path: String) throws(Errno) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw .current }
    }
}

extension Errno {
    /// What the last call on this thread has failed with.
    package static var current: Errno { Errno(rawValue: errno) }
}

/// Makes a call that swift-system does not have, again for as long as a signal interrupts it (EINTR).
package func uninterrupted<Number: FixedWidthInteger>(_ call: () -> Number) -> Number {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
