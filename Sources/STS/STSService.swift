package import AWSNames
import HeaderFields
import SigV4

/// The Security Token Service of one region.
package struct STSService: Hashable, Sendable {
    /// That is signed for.
    package let region: String
    package let endpoint: Endpoint

    package var url: String { endpoint.url + "/" }

    /// - Parameter override: An endpoint given by hand; see `Endpoint.resolve`.
    /// - Throws: `RequestFault` for a region that is none, and an endpoint that cannot be used.
    package init(
        region: String, fips: Bool = false, dualStack: Bool = false, override: String? = nil
    ) throws(RequestFault) {
        guard ARN.isLabel(region) else { throw RequestFault(message: "region \(region.inQuotes) is not a region") }
        endpoint = try Endpoint.resolve(.sts, region: region, fips: fips, dualStack: dualStack, override: override)
        self.region = region
    }

    /// A form of the query protocol.
    func request(_ form: [(String, String)], mfa: MFAProof?) -> UnsignedRequest {
        var parameters = form + [("Version", "2011-06-15")]
        if let mfa { parameters.append(("SerialNumber", mfa.serial)) }
        var body = Array(CanonicalQuery.text(parameters.map { (key: $0.0, value: $0.1) }).utf8)
        // The digits go into the bytes alone. A body need not be sorted.
        if let mfa { body += Array("&TokenCode=".utf8) + mfa.code.digits }
        return UnsignedRequest(
            service: "sts", region: region, path: endpoint.basePath + "/",
            headers: [
                HeaderField(name: "Content-Type", value: "application/x-www-form-urlencoded; charset=utf-8"),
                HeaderField(name: "Host", value: endpoint.host),
            ], body: body)
    }
}
