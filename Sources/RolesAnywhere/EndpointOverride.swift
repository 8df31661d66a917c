import Encodings

extension Endpoint {
    /// An endpoint given by hand; see `resolve`.
    ///
    /// User information, queries, fragments and escapes are refused: they would have to be signed, or hide where the
    /// request goes.
    package init(override text: String) throws(EndpointError) {
        func refusal(_ reason: String) -> EndpointError {
            EndpointError(message: "endpoint \(text.inQuotes): \(reason)")
        }
        guard (1...2048).contains(text.utf8.count), text.utf8.allSatisfy(\.isVisible) else {
            throw refusal("1 to 2048 printable ASCII characters without spaces make an URL")
        }
        let lower = text.lowercased()
        let isPlaintext = lower.hasPrefix("http://")
        guard isPlaintext || lower.hasPrefix("https://") else { throw refusal("start it with https://") }
        let rest = text.dropFirst(isPlaintext ? "http://".count : "https://".count)
        guard !rest.contains(where: { "@?#%\\".contains($0) }) else {
            throw refusal("leave out user, query, fragment and escapes")
        }
        let authority = rest.prefix { $0 != "/" }.lowercased()
        guard let (host, port) = Self.split(authority) else {
            throw refusal("write a host name or an address, and after a colon a port from 1 to 65535 if need be")
        }
        guard let path = Self.basePath(rest.dropFirst(authority.count)) else {
            throw refusal("a base path has letters, digits and -._~ between its slashes")
        }
        guard !isPlaintext || Self.isLoopback(host) else {
            throw refusal("http is for 127.0.0.1, [::1] and localhost; use https")
        }
        let isDefaultPort = port == nil || port == (isPlaintext ? 80 : 443)
        self.init(
            host: isDefaultPort ? host : "\(host):\(port ?? 0)", basePath: path, isPlaintext: isPlaintext)
    }

    private static func split(_ authority: String) -> (host: String, port: Int?)? {
        let host: Substring
        let tail: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[...end]
            tail = authority[authority.index(after: end)...]
            guard (2...45).contains(host.utf8.count - 2),
                host.utf8.dropFirst().dropLast().allSatisfy({ $0.hexadecimalDigit != nil || ":.".utf8.contains($0) })
            else { return nil }
        } else {
            host = authority.prefix { $0 != ":" }
            tail = authority.dropFirst(host.count)
            guard host.utf8.count <= 253,
                host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ ARN.isLabel(String($0)) })
            else { return nil }
        }
        if tail.isEmpty { return (String(host), nil) }
        let digits = tail.dropFirst()
        guard tail.first == ":", (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy(\.isDigit),
            let port = Int(digits), (1...65535).contains(port)
        else { return nil }
        return (String(host), port)
    }

    private static func basePath(_ path: Substring) -> String? {
        let trimmed = path.hasSuffix("/") ? path.dropLast() : path
        guard !trimmed.isEmpty else { return "" }
        let segments = trimmed.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = segments.allSatisfy { segment in
            !segment.isEmpty && segment != "." && segment != ".." && segment.utf8.allSatisfy(\.isUnreserved)
        }
        return isPlain ? String(trimmed) : nil
    }

    /// The literals alone; a name that only resolves to loopback today does not count.
    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets.first == "127" && octets.allSatisfy { isOctet($0) }
    }

    /// 0 to 255 without leading zeros, which some readers take for octal.
    private static func isOctet(_ text: Substring) -> Bool {
        text.utf8.count <= 3 && text.utf8.allSatisfy(\.isDigit) && UInt8(text) != nil
            && (text == "0" || !text.hasPrefix("0"))
    }
}
