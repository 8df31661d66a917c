import CLinux

/// Standard output and standard error, written to the last byte.
package enum StandardStream: Int32 {
    case output = 1
    case error = 2

    /// Writes all of `bytes`, in one call where the kernel takes them at once. SIGPIPE must be ignored.
    ///
    /// When the reader of standard output is gone, SIGPIPE ends the process without a message, as it ends other tools.
    ///
    /// - Throws: Exit code 70 when the disk is full, or standard error has no reader any more.
    package func write(_ bytes: Span<UInt8>) throws(ClientFailure) {
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { raw in
                unsafe CLinux.write(rawValue, raw.baseAddress.map { unsafe $0 + done }, raw.count - done)
            }
            if written >= 0 {
                done += written
                continue
            }
            switch clinux_errno() {
            case EINTR: continue
            case EAGAIN:  // another process has made the stream non-blocking
                var entry = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
                unsafe poll(&entry, 1, -1)
            case EPIPE where self == .output: clinux_end_by_broken_pipe()
            case let error:
                throw ClientFailure(
                    .software, "the result cannot be written (errno \(error))",
                    hint: "look at what reads standard output")
            }
        }
    }

    package func write(_ text: String) throws(ClientFailure) {
        try write(Array(text.utf8).span)
    }
}
