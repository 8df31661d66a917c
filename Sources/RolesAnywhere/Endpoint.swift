/// Where a region's Roles Anywhere service answers.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// What the Host header says: lower case, with a port only where it is not the scheme's own.
    package let host: String
    /// Empty, or `/` and segments: it comes before `/sessions`, in the request and therefore in what is signed.
    ///
    /// A gateway that strips it breaks the signature, as one that changes the host does.
    package let basePath: String
    /// Plain HTTP, which only a loopback address can have.
    package let isPlaintext: Bool

    /// Scheme, host and base path, without a final slash.
    package var url: String { "\(isPlaintext ? "http" : "https")://\(host)\(basePath)" }

    package var description: String { url }

    init(host: String, basePath: String = "", isPlaintext: Bool = false) {
        self.host = host
        self.basePath = basePath
        self.isPlaintext = isPlaintext
    }
}

extension Endpoint {
    /// The endpoint of a region, or the one given by hand.
    ///
    /// - Parameter override: An URL of https, or of http to `127.0.0.0/8`, `[::1]` or `localhost`; a base path may
    ///   follow.
    /// - Throws: `EndpointError` if the region is no region, has no such endpoint, or `override` is not such an URL.
    package static func resolve(
        region: String, fips: Bool = false, dualStack: Bool = false, override: String? = nil
    ) throws(EndpointError) -> Endpoint {
        guard let override else { return try Endpoint(region: region, fips: fips, dualStack: dualStack) }
        if fips || dualStack {
            throw EndpointError(
                message: "an endpoint given by hand is neither FIPS nor dual-stack: name that host in it instead")
        }
        return try Endpoint(override: override)
    }

    /// The endpoint that AWS runs for a region; regions that we do not know are taken for the partition `aws`.
    package init(region: String, fips: Bool = false, dualStack: Bool = false) throws(EndpointError) {
        guard ARN.isLabel(region) else {
            throw EndpointError(message: "\(region.inQuotes) is not a region")
        }
        // The old pseudo-regions would be signed as they stand, and refused.
        if region.hasPrefix("fips-") || region.hasSuffix("-fips") {
            throw EndpointError(message: "\(region) is not a region: write the region, and ask for FIPS beside it")
        }
        let partition = Partition.assumed(for: region)
        guard let suffix = dualStack ? partition.dualStackSuffix : partition.suffix else {
            throw EndpointError(message: "partition \(partition.name) has no dual-stack endpoint, asked for \(region)")
        }
        self.init(host: "rolesanywhere\(fips ? "-fips" : "").\(region).\(suffix)")
    }
}

/// Why there is no such endpoint.
package struct EndpointError: Error, Hashable, Sendable {
    /// One line.
    package let message: String
}
