import Encodings

/// Where a region's service answers.
package struct Endpoint: Hashable, Sendable {
    /// The value of the Host header: lower case, with a port only where it is not the scheme's own.
    package let host: String
    /// Empty, or `/` and segments: it comes before the request's own path, also in the signed text.
    ///
    /// A gateway that strips it breaks the signature, as one that changes the host does.
    package let basePath: String
    /// Plain HTTP, which only a loopback address can have.
    package let isPlaintext: Bool

    /// Scheme, host and base path, without a final slash.
    package var url: String { "\(isPlaintext ? "http" : "https")://\(host)\(basePath)" }

    init(host: String, basePath: String = "", isPlaintext: Bool = false) {
        self.host = host
        self.basePath = basePath
        self.isPlaintext = isPlaintext
    }
}

extension Endpoint {
    /// The endpoint given by hand, or the one that AWS runs for a region; regions that we do not know are taken for the
    /// partition `aws`.
    ///
    /// - Parameter override: An URL of https, or of http to `127.0.0.0/8`, `[::1]` or `localhost`; a base path may
    ///   follow.
    /// - Throws: `RequestFault` if the region is no region, or `override` is not such an URL.
    package static func resolve(
        _ service: RegionalService, region: String, fips: Bool = false, dualStack: Bool = false, override: String? = nil
    ) throws(RequestFault) -> Endpoint {
        if let override {
            if fips || dualStack {
                throw RequestFault(
                    message: "an endpoint given by hand is neither FIPS nor dual-stack: name that host in it instead")
            }
            return try Endpoint(override: override)
        }
        guard ARN.isLabel(region) else {
            throw RequestFault(message: "\(region.inQuotes) is not a region")
        }
        // The old pseudo-regions would be signed as they stand, and refused.
        if region.hasPrefix("fips-") || region.hasSuffix("-fips") {
            throw RequestFault(message: "\(region) is not a region: write the region, and ask for FIPS beside it")
        }
        let partition = Partition.assumed(for: region)
        let suffix = dualStack ? partition.dualStackSuffix : partition.suffix
        let marksFIPS = fips && (dualStack || !service.isFIPSByItself(in: partition))
        return Endpoint(host: "\(service.rawValue)\(marksFIPS ? "-fips" : "").\(region).\(suffix)")
    }
}

/// A service with an endpoint in each region. The raw value begins its hosts' names.
package enum RegionalService: String, Hashable, Sendable, CaseIterable {
    case rolesAnywhere = "rolesanywhere"
    case sts

    /// Whether the endpoint that has no `-fips` in its name is the FIPS one as well (`endpoint-rule-set-1.json` of the
    /// AWS SDKs).
    fileprivate func isFIPSByItself(in partition: Partition) -> Bool { self == .sts && partition.name == "aws-us-gov" }
}

extension Endpoint {
    /// An endpoint given by hand; see `resolve`.
    ///
    /// User information, queries, fragments and escapes are refused: they would have to be signed, or hide where the
    /// request goes.
    package init(override text: String) throws(RequestFault) {
        func refusal(_ reason: String) -> RequestFault {
            RequestFault(message: "endpoint \(text.inQuotes): \(reason)")
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
