import Files
import Foundation
import Testing

@testable import Agent

@Suite("Users at the other end of TCP connections") struct LoopbackPeersTests {
    /// A socket that listens, and one that is connected with it.
    private final class Pair {
        let listening: CInt
        let port: in_port_t
        let isIPv6: Bool
        var accepted: CInt = -1

        init(isIPv6: Bool = false) throws {
            self.isIPv6 = isIPv6
            (listening, port) = try FreePort.listening(isIPv6: isIPv6)
        }

        /// - Parameter isMapped: From a socket of IPv6 to the address of IPv4, as Java connects.
        func connect(isMapped: Bool = false) throws -> CInt {
            let client = socket(isMapped || isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            let result: CInt
            if isMapped {
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = port.bigEndian
                _ = unsafe inet_pton(AF_INET6, "::ffff:127.0.0.1", &address.sin6_addr)
                result = unsafe withUnsafePointer(to: address) { pointer in
                    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        unsafe Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                    }
                }
            } else {
                let address = try #require(LoopbackAddress("\(isIPv6 ? "[::1]" : "127.0.0.1"):\(port)"))
                result = unsafe address.call { unsafe Glibc.connect(client, $0, $1) }
            }
            #expect(result == 0)
            accepted = accept(listening, nil, nil)
            return client
        }

        deinit {
            close(listening)
            close(accepted)
        }
    }

    @Test("The kernel tells who connects", arguments: [(false, false), (true, false), (false, true)])
    func found(isIPv6: Bool, isMapped: Bool) throws {
        let pair = try Pair(isIPv6: isIPv6)
        let client = try pair.connect(isMapped: isMapped)
        defer { close(client) }
        let peers = try LoopbackPeers(listening: pair.listening)
        #expect(peers.peer(of: pair.accepted).uid == getuid())
        shutdown(client, Int32(SHUT_WR))
        #expect(peers.peer(of: pair.accepted).uid == getuid(), "it still reads")
    }

    @Test("One that has closed its end, or reset it, is unknown, and not root") func gone() throws {
        for isReset in [false, true] {
            let pair = try Pair()
            let client = try pair.connect()
            _ = unsafe send(client, "x", 1, 0)
            if isReset {
                var linger = linger(l_onoff: 1, l_linger: 0)
                unsafe setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
            }
            close(client)
            #expect(try LoopbackPeers(listening: pair.listening).peer(of: pair.accepted).uid == KnownIDs.overflow)
        }
    }

    @Test("Another connection between the same ports is not taken for one that was reset") func reused() throws {
        let pair = try Pair()
        let old = try pair.connect()
        let accepted = pair.accepted
        defer { close(accepted) }
        var own = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &own) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = unsafe getsockname(old, $0, &length)
            }
        }
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(old, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        close(old)
        let new = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(new) }
        let bound = unsafe withUnsafePointer(to: own) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(new, $0, length) }
        }
        #expect(bound == 0)
        let address = try #require(LoopbackAddress("127.0.0.1:\(pair.port)"))
        #expect(unsafe address.call { unsafe connect(new, $0, $1) } == 0)
        pair.accepted = accept(pair.listening, nil, nil)
        let peers = try LoopbackPeers(listening: pair.listening)
        #expect(peers.peer(of: accepted).uid == KnownIDs.overflow)
        #expect(peers.peer(of: pair.accepted).uid == getuid())
    }

    @Test(
        "A process must hold the other end, and be able to read the answer",
        arguments: [
            (1, 7, true), (4, 7, true), (5, 7, true),  // established; half closed by the client
            (1, 0, false), (4, 0, false), (5, 0, false),  // closed: the kernel calls its user 0
            (2, 7, false), (3, 7, false), (6, 0, false), (7, 7, false), (8, 7, false), (9, 7, false), (10, 7, false),
            (11, 7, false), (12, 7, false), (0, 7, false), (255, 7, false),
        ] as [(UInt8, UInt32, Bool)])
    func states(state: UInt8, inode: UInt32, isHeld: Bool) {
        #expect(LoopbackPeers.isHeld(state: state, inode: inode) == isHeld)
    }
}

/// A port of this machine that no program listens on.
enum FreePort {
    static func address(isIPv6: Bool = false) throws -> LoopbackAddress {
        let (descriptor, port) = try listening(isIPv6: isIPv6)
        close(descriptor)
        return try #require(LoopbackAddress("\(isIPv6 ? "[::1]" : "127.0.0.1"):\(port)"))
    }

    static func listening(isIPv6: Bool = false) throws -> (descriptor: CInt, port: in_port_t) {
        let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = try #require(LoopbackAddress(isIPv6 ? "[::1]:1" : "127.0.0.1:1"))
        address.port = 0
        try #require(unsafe address.call { unsafe bind(descriptor, $0, $1) } == 0 && listen(descriptor, 16) == 0)
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let port: in_port_t = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = unsafe getsockname(descriptor, $0, &length)
            }
            // Both families have it behind the family.
            return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                unsafe in_port_t(bigEndian: $0.pointee.sin_port)
            }
        }
        return (descriptor, port)
    }
}
