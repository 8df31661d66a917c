import CLinux
import Glibc

/// Tells the service manager how the agent is doing (sd_notify(3)); says nothing unless it asked.
package struct ServiceNotifier: Sendable {
    package enum State: Hashable, Sendable {
        case ready
        case reloading
        case stopping
        /// For the manager's watchdog.
        case alive
        /// One line for `systemctl status`.
        case status(String)
    }

    /// How often the manager wants to be told `.alive`: in half the time after which it takes the agent for hung, as
    /// sd_watchdog_enabled(3) advises. Nil where it does not want to be told.
    let watchdogMilliseconds: Int64?
    private let path: String?

    /// - Parameters:
    ///   - environment: Has `NOTIFY_SOCKET`, a path, or `@` and an abstract name; `WATCHDOG_USEC`, and `WATCHDOG_PID` where
    ///     that is for one process.
    ///   - pid: This process.
    package init(environment: [String: String], pid: Int32 = getpid()) {
        let isForUs = environment["WATCHDOG_PID"].map { $0 == String(pid) } ?? true
        watchdogMilliseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) }.flatMap { microseconds in
            isForUs && microseconds > 0 ? max(1, microseconds / 2000) : nil
        }
        path = environment["NOTIFY_SOCKET"].flatMap { name in
            switch name.utf8.first {
            case UInt8(ascii: "/"): name
            case UInt8(ascii: "@"): "\0" + name.dropFirst()
            default: nil
            }
        }
    }

    /// Sends it without waiting. A manager that does not listen is not our fault to report.
    package func notify(_ state: State) {
        guard let path, let address = UnixAddress(path: path) else { return }
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let message = Array(Self.text(state).utf8)
        _ = unsafe address.call { address, length in
            CInt(unsafe sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), address, length))
        }
    }

    private static func text(_ state: State) -> String {
        switch state {
        case .ready: return "READY=1"
        case .reloading:
            var time = timespec()
            unsafe clock_gettime(CLOCK_MONOTONIC, &time)
            return "RELOADING=1\nMONOTONIC_USEC=\(Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)"
        case .stopping: return "STOPPING=1"
        case .alive: return "WATCHDOG=1"
        case .status(let line): return "STATUS=\(line.split(separator: "\n").joined(separator: " "))"
        }
    }
}
