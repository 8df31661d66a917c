import CLinux

#if !hasFeature(Embedded)
    import LockedMemory
#endif

/// A connection to the agent, closed when its owner lets go. Every step keeps the one deadline.
struct AgentConnection: ~Copyable {
    private let descriptor: Int32
    private let deadline: Deadline

    /// Connects to the first socket that exists, and checks the user of the process that listens there.
    ///
    /// - Throws: Exit code 69 when no process listens, 75 when the deadline passes, 77 when another user's listens.
    static func open(
        _ endpoint: AgentEndpoint, deadline: Deadline
    ) throws(ClientFailure) -> AgentConnection {
        let connection = try AgentConnection(deadline)
        for path in endpoint.paths {
            let error = try connection.connect(to: path)
            if error == 0 {
                try endpoint.check(listener: connection.peerUser(), at: path)
                return connection
            }
            // Only a socket that is not there sends us on: one that refuses is the agent that was meant.
            guard error == ENOENT || error == ENOTDIR else { throw endpoint.unreachable(path, error) }
        }
        throw endpoint.missing
    }

    private init(_ deadline: Deadline) throws(ClientFailure) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        // A client that was started with standard output closed gets that number here: what it prints next would
        // go to the agent, and look like success.
        guard descriptor == 0 || descriptor > 2 else {
            if descriptor > 0 { close(descriptor) }
            throw ClientFailure(
                .software, descriptor > 0 ? "standard output or standard error is closed" : "no socket can be made",
                hint: "start this program with its standard streams open, within its limit of open files")
        }
        self.descriptor = descriptor
        self.deadline = deadline
    }

    deinit { close(descriptor) }

    /// 0, or an errno. Waits its turn in the kernel's queue while the agent's backlog is full.
    private borrowing func connect(to path: [UInt8]) throws(ClientFailure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        while true {
            // A blocking connect(2) on a Unix socket keeps SO_SNDTIMEO; a non-blocking one could only be tried again
            // and again.
            let left = deadline.remaining
            guard left > 0 else { throw .timeout(deadline) }
            var limit = timeval(tv_sec: Int(left / 1000), tv_usec: Int(left % 1000) * 1000)
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            let result = unsafe withUnsafeBytes(of: &address) {
                unsafe CLinux.connect(
                    descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
            }
            if result == 0 { return 0 }
            switch clinux_errno() {
            case EINTR: continue
            case EAGAIN: throw .timeout(deadline)
            case let error: return error
            }
        }
    }

    /// The user whose process listens at the other end.
    private borrowing func peerUser() throws(ClientFailure) -> uid_t {
        var (process, user, group) = (pid_t(0), uid_t(0), gid_t(0))
        let error = unsafe clinux_peer_credentials(descriptor, &process, &user, &group)
        guard error == 0 else { throw Self.broken(error) }
        return user
    }

    /// Sends all of `bytes`, or less when the agent stops reading: it may have answered already, to say why.
    borrowing func send(_ bytes: Span<UInt8>) throws(ClientFailure) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { raw in
                unsafe CLinux.send(
                    descriptor, raw.baseAddress.map { unsafe $0 + sent }, raw.count - sent,
                    Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
                continue
            }
            switch clinux_errno() {
            case EINTR: continue
            case EAGAIN: try wait(for: POLLOUT)
            case EPIPE, ECONNRESET: return
            case let error: throw Self.broken(error)
            }
        }
    }

    /// Appends what has come to `buffer`, waiting for at least one byte.
    ///
    /// - Returns: How many bytes came; 0 when the agent has closed, or `buffer` is full.
    borrowing func receive(into buffer: inout SecretBuffer) throws(ClientFailure) -> Int {
        while true {
            try wait(for: POLLIN)
            var error: Int32 = 0
            let count = unsafe buffer.append { room in
                let count = unsafe recv(descriptor, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
                if count < 0 { error = clinux_errno() }
                return max(0, count)
            }
            switch error {
            case 0: return count
            case EINTR, EAGAIN: continue
            case ECONNRESET: return 0
            default: throw Self.broken(error)
            }
        }
    }

    private borrowing func wait(for events: Int32) throws(ClientFailure) {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let left = deadline.remaining
            guard left > 0 else { throw .timeout(deadline) }
            let ready = unsafe poll(&entry, 1, Int32(clamping: left))
            if ready > 0 { return }
            guard ready == 0 || clinux_errno() == EINTR else { throw Self.broken(clinux_errno()) }
        }
    }

    private static func broken(_ error: Int32) -> ClientFailure {
        ClientFailure(.unavailable, "the connection to the agent broke (errno \(error))", hint: "try again")
    }
}
