import CLinux
import TokenService

extension WorkerWalls {
    /// One line for each wall that is not put up around a worker here.
    static var missing: [String] {
        missing(landlock: clinux_landlock_version(), callFilter: clinux_has_call_filter())
    }

    /// - Parameters:
    ///   - landlock: The kernel's Landlock ABI; 0 where it has none, and less where a filter around the agent refuses it.
    ///   - callFilter: 1 where the kernel has seccomp filters, and otherwise as above.
    static func missing(landlock: Int32, callFilter: Int32) -> [String] {
        func refused(_ calls: String) -> String {
            "is refused by a filter around the agent; in a unit add SystemCallFilter=\(calls)"
        }
        var lines: [String] = []
        func before(_ version: Int) -> String {
            if landlock < 0 {
                return "Landlock " + refused("landlock_create_ruleset landlock_add_rule landlock_restrict_self")
            }
            return landlock == 0
                ? "no Landlock in this kernel" : "Landlock \(landlock) in this kernel, before \(version)"
        }
        if landlock < 3 {
            let verb = landlock <= 0 ? "change" : "truncate"
            lines.append("\(before(3)): modules may \(verb) every file that the agent's user may")
        }
        if landlock < 6 { lines.append("\(before(6)): modules may send signals to the user's processes") }
        if callFilter <= 0 {
            let reason = callFilter < 0 ? "seccomp " + refused("seccomp") : "no seccomp filter in this kernel"
            lines.append("\(reason): modules may start programs, use the network and change files' modes")
        }
        return lines
    }
}
