import Encodings
import Glibc

/// An address that only programs of this machine reach, and a port: `127.0.0.1:9910`, `[::1]:9910`.
package struct LoopbackAddress: Hashable, Sendable {
    package var isIPv6: Bool
    package var port: UInt16

    /// Nil for any other text: names, other addresses of 127.0.0.0/8 and shortened ones are not understood by every SDK.
    package init?(_ text: some StringProtocol) {
        guard let address = [Self.ipv4, Self.ipv6].first(where: { text.hasPrefix("\($0):") }) else { return nil }
        let digits = text.dropFirst(address.count + 1)
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy(\.isDigit), !digits.hasPrefix("0"),
            let port = UInt16(digits)
        else { return nil }
        isIPv6 = address == Self.ipv6
        self.port = port
    }

    private static let (ipv4, ipv6) = ("127.0.0.1", "[::1]")
    /// What a client leaves out of Host (RFC 9110 §4.2.1).
    private static let usualPort: UInt16 = 80

    private var literal: String { isIPv6 ? Self.ipv6 : Self.ipv4 }

    /// Whether a request with this Host field was meant for this address. A page whose own name was made to point here
    /// (DNS rebinding) has that name in it.
    func isMeant(byHost host: String) -> Bool {
        let host = host.lowercased()
        return [literal, "localhost"].contains { name in
            host == "\(name):\(port)" || port == Self.usualPort && host == name
        }
    }

    /// Calls bind(2) or its like; its result, or -errno.
    func call(_ function: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        let result: CInt
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = in6addr_loopback
            result = unsafe Self.call(address, function)
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            result = unsafe Self.call(address, function)
        }
        return result < 0 ? -errno : result
    }

    private static func call<Address>(
        _ address: Address, _ function: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe function($0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }
}

extension LoopbackAddress: CustomStringConvertible {
    package var description: String { "\(literal):\(port)" }
}
