import Dispatch
import Glibc

/// A server on a port of 127.0.0.1 that answers each connection as a script says, on a thread of its own.
final class LoopbackServer: Sendable {
    let port: UInt16
    private let listener: Int32

    init(script: @escaping @Sendable (Peer) -> Void) throws {
        let (listener, port) = try Self.listen()
        (self.listener, self.port) = (listener, port)
        DispatchQueue(label: "loopback server").async {
            while case let socket = accept(listener, nil, nil), socket >= 0 {
                DispatchQueue(label: "loopback peer").async {
                    let peer = Peer(socket: socket)
                    script(peer)
                    peer.close()
                }
            }
            Glibc.close(listener)
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    var url: String { "http://127.0.0.1:\(port)/sessions" }

    /// A port that nobody listens on.
    static func closedPort() throws -> UInt16 {
        let (listener, port) = try listen()
        Glibc.close(listener)
        return port
    }

    /// The answer's bytes to any request.
    static func answering(_ answer: String) throws -> LoopbackServer {
        try LoopbackServer { peer in
            _ = peer.readRequest()
            peer.send(answer)
        }
    }

    private static func listen() throws -> (socket: Int32, port: UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(listener, generic, length) == 0 && Glibc.listen(listener, 16) == 0
                    && getsockname(listener, generic, &length) == 0
            }
        }
        guard isBound else { throw SocketError(number: errno) }
        return (listener, UInt16(bigEndian: address.sin_port))
    }
}

struct SocketError: Error {
    let number: Int32
}

/// One accepted connection.
struct Peer: Sendable {
    let socket: Int32

    func read() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(socket, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }

    /// What has come when the headers have ended; the tests' bodies come along with them, or do not matter.
    func readRequest() -> String {
        var text = ""
        while !text.contains("\r\n\r\n"), let part = read() { text += String(decoding: part, as: UTF8.self) }
        return text
    }

    /// Whether the other side still takes it.
    @discardableResult func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { buffer in
                unsafe Glibc.send(socket, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    @discardableResult func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Until the other side closes.
    func readToEnd() { while read() != nil {} }

    func close() {
        shutdown(socket, Int32(SHUT_RDWR))
        Glibc.close(socket)
    }

    /// A connection to a port of 127.0.0.1.
    static func connect(to port: UInt16) throws -> Peer {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe Glibc.connect(socket, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw SocketError(number: errno) }
        return Peer(socket: socket)
    }
}
