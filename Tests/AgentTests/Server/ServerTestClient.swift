import Foundation

@testable import Agent

/// A client that sends what it is told to, byte by byte, and reads what comes.
final class ServerTestClient: Sendable {
    struct Answer: Sendable {
        var status: Int
        var head: String
        var body: String

        func field(_ name: String) -> String? {
            let line = head.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
            return line.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
    }

    struct Failure: Error {
        var call: String
        var number = errno
    }

    private let descriptor: CInt

    /// A client on loopback.
    init(_ address: LoopbackAddress) throws {
        descriptor = Self.socket(address.isIPv6 ? AF_INET6 : AF_INET)
        let result = unsafe address.call { [descriptor] in unsafe connect(descriptor, $0, $1) }
        guard result == 0 else { throw Failure(call: "connect", number: -result) }  // `deinit` closes it
    }

    private static func socket(_ family: CInt) -> CInt {
        let descriptor = Glibc.socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var timeout = timeval(tv_sec: 120, tv_usec: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }

    init(path: String) throws {
        descriptor = Self.socket(AF_UNIX)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let result = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw Failure(call: "connect") }  // `deinit` closes it
    }

    deinit { close(descriptor) }

    /// Sends all of it; a peer that has hung up is no failure here.
    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let result = unsafe bytes.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard result > 0 else { return }
            sent += result
        }
    }

    /// Returns once the server has read all that was sent, has answered, or has hung up: after a reset, loopback keeps saying
    /// that bytes wait.
    func waitUntilRead() async {
        var unread: CInt = 1
        var answer = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        repeat {
            await Task.yield()
            guard unsafe ioctl(descriptor, UInt(TIOCOUTQ), &unread) == 0, unread > 0 else { return }
        } while unsafe poll(&answer, 1, 0) == 0
    }

    func endWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// The next answer, by its Content-Length; nil when the server has hung up.
    func receive() async throws -> Answer? {
        try await Self.offThePool { [self] in
            var bytes: [UInt8] = []
            while bytes.suffix(4) != Array("\r\n\r\n".utf8) {
                guard let next = try read(1) else { return nil }
                bytes += next
            }
            let head = String(decoding: bytes, as: UTF8.self)
            var answer = Answer(status: Int(head.dropFirst(9).prefix(3)) ?? 0, head: head, body: "")
            var body: [UInt8] = []
            let length = answer.field("Content-Length").flatMap(Int.init) ?? 0
            while body.count < length {
                // The answer to HEAD has the length, and no body.
                guard let next = try read(length - body.count) else { break }
                body += next
            }
            answer.body = String(decoding: body, as: UTF8.self)
            return answer
        }
    }

    /// What comes until the server hangs up.
    func receiveAll() async throws -> String {
        try await Self.offThePool { [self] in
            var bytes: [UInt8] = []
            while let next = try read(4096) { bytes += next }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Nil at the end; a reset counts as the end.
    private func read(_ count: Int) throws -> [UInt8]? {
        var filled = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            filled = unsafe Glibc.read(descriptor, buffer.baseAddress, count)
            initialized = max(0, filled)
        }
        guard filled >= 0 || errno == ECONNRESET else { throw Failure(call: "read") }
        return filled > 0 ? bytes : nil
    }

    /// Blocking calls would take the threads that the server's tasks need.
    static func offThePool<Result: Sendable>(
        _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
        }
    }
}
