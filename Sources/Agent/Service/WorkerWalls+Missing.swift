import CLinux
import TokenService

extension WorkerWalls {
    /// One line for each wall that this kernel does not put up around a worker.
    static var missing: [String] {
        missing(landlock: Int(clinux_landlock_version()), hasCallFilter: clinux_has_call_filter() != 0)
    }

    /// - Parameter landlock: The kernel's Landlock ABI; 0 where it has none.
    static func missing(landlock: Int, hasCallFilter: Bool) -> [String] {
        var lines: [String] = []
        func before(_ version: Int) -> String {
            landlock == 0 ? "no Landlock in this kernel" : "Landlock \(landlock) in this kernel, before \(version)"
        }
        if landlock < 3 {
            let verb = landlock == 0 ? "change" : "truncate"
            lines.append("\(before(3)): modules may \(verb) every file that the agent's user may")
        }
        if landlock < 6 { lines.append("\(before(6)): modules may send signals to the user's processes") }
        if !hasCallFilter {
            lines.append(
                "no seccomp filter in this kernel: modules may start programs, use the network and change files' modes")
        }
        return lines
    }
}
