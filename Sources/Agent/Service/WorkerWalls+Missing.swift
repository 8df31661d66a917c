import CLinux
import TokenService

extension WorkerWalls {
    /// One line for each wall that this kernel does not put up around a worker.
    static var missing: [String] {
        var lines: [String] = []
        let version = clinux_landlock_version()
        if version == 0 {
            lines.append("no Landlock in this kernel: modules may change every file that the agent's user may")
        } else if version < 6 {
            lines.append(
                "Landlock \(version) in this kernel, before 6: modules may send signals to the user's processes")
        }
        if clinux_has_call_filter() == 0 {
            lines.append("no seccomp filter in this kernel: modules may start programs and use the network")
        }
        return lines
    }
}
