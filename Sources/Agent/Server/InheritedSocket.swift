import CLinux
import Glibc

extension SocketListener {
    /// The socket that systemd passed to this process (sd_listen_fds(3)); nil when it passed none.
    ///
    /// - Parameters:
    ///   - environment: Has `LISTEN_PID` and `LISTEN_FDS`; variables for another process are not for us.
    ///   - pid: This process.
    /// - Throws: `.inherited` unless it is exactly one listening Unix stream socket.
    package static func inherited(
        environment: [String: String], pid: Int32 = getpid()
    ) throws(ListenerError) -> SocketListener? {
        guard let count = environment["LISTEN_FDS"], environment["LISTEN_PID"] == String(pid), count != "0" else {
            return nil
        }
        guard count == "1" else { throw .inherited(reason: "there are \(count), and one is expected") }
        return try SocketListener(checking: 3)
    }

    /// Hangs up on the callers that wait or come in the next 15 seconds; returns at once if no caller waits.
    ///
    /// For an agent that cannot serve. systemd starts another for callers that this one leaves in the queue, and gives the
    /// socket up after some starts in a minute (`StartLimitBurst=`): then no caller could start the agent once it can.
    package func refuseCallers() {
        guard let descriptor = claim() else { return }
        defer { close(descriptor) }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let clock = ContinuousClock()
        let end = clock.now + .seconds(15)
        var patience: Int32 = 0
        while unsafe poll(&waiting, 1, patience) > 0, clock.now < end {
            let caller = accept(descriptor, nil, nil)
            if caller >= 0 { close(caller) }
            patience = Int32(max(0, (end - clock.now) / .milliseconds(1)))
        }
    }

    /// - Parameter descriptor: Becomes this listener's, unless an error is thrown.
    convenience init(checking descriptor: CInt) throws(ListenerError) {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let named = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard named == 0 else { throw .inherited(reason: "descriptor \(descriptor) is no socket") }
        guard address.ss_family == sa_family_t(AF_UNIX) else { throw .inherited(reason: "it is no Unix socket") }
        guard Self.option(SO_TYPE, of: descriptor) == CInt(SOCK_STREAM.rawValue) else {
            throw .inherited(reason: "it is no stream socket")
        }
        guard Self.option(SO_ACCEPTCONN, of: descriptor) == 1 else {
            throw .inherited(reason: "it does not listen: Accept=yes is not for us")
        }
        // An abstract name has no permissions, and reaches across containers.
        let path = MemoryLayout<sa_family_t>.size
        let name = unsafe withUnsafeBytes(of: address) { bytes in
            unsafe Array(bytes.prefix(Int(length)).dropFirst(path)).prefix { $0 != 0 }
        }
        guard !name.isEmpty else { throw .inherited(reason: "it has an abstract name or none") }
        guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0,
            fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0
        else { throw .inherited(reason: "its flags cannot be set") }
        self.init(inherited: descriptor, address: String(decoding: name, as: UTF8.self))
    }

    private static func option(_ name: CInt, of descriptor: CInt) -> CInt? {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }
}
