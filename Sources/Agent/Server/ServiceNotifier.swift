import Glibc

/// Tells the service manager how the agent is doing (sd_notify(3)); says nothing when nobody asked.
package struct ServiceNotifier: Sendable {
    package enum State: Hashable, Sendable {
        case ready
        case reloading
        case stopping
        /// One line for `systemctl status`.
        case status(String)
    }

    private let path: String?

    /// - Parameter environment: Has `NOTIFY_SOCKET`, a path, or `@` and an abstract name.
    package init(environment: [String: String]) {
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
        case .status(let line): return "STATUS=\(line.split(separator: "\n").joined(separator: " "))"
        }
    }
}
