import CLinux
import Glibc
import SystemPackage
import TokenService

extension WorkerWalls {
    /// Limits this process for good, before the module's first instruction and before any other thread. What cannot be
    /// had here is left out: the agent says so in its status.
    ///
    /// - Throws: A wall that the kernel has and does not put up.
    func putUp() throws(WorkerFailure) {
        if clinux_landlock_version() > 0 { try limitFiles() }
        guard clinux_has_call_filter() > 0 else { return }
        let error = clinux_limit_calls(hasNetwork ? 1 : 0)
        guard error == 0 else { throw Self.failure("its system calls cannot be limited", error) }
    }

    private func limitFiles() throws(WorkerFailure) {
        var paths = unsafe writable.map { unsafe UnsafePointer(strdup($0)) }
        defer { unsafe paths.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
        var failed = 0
        let error = unsafe clinux_limit_files(&paths, paths.count, hasNetwork ? 1 : 0, &failed)
        guard error == 0 else {
            let what =
                failed < writable.count ? "writable: \(writable[failed])" : "its access to files cannot be limited"
            throw Self.failure(what, error)
        }
    }

    private static func failure(_ what: String, _ error: Int32) -> WorkerFailure {
        WorkerFailure(.notLoaded, text: "\(what): \(Errno(rawValue: error))")
    }
}
