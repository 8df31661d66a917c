import AWSNames
import Encodings
import STS

/// The keys of a profile that say which STS is asked.
struct STSPlace {
    /// Nil where the file has none.
    let region: String?
    private let override: String?
    private let fips: Bool
    private let dualStack: Bool

    init(reading table: inout TableReader, for source: Source.Kind) {
        region = table.value("region", Self.region)
        override = table.value("endpoint") { node throws(ValueFault) in
            _ = try Endpoint(reading: node, for: source)  // whether it agrees with the other keys is asked below
            return try node.text()
        }
        fips = table.boolean("use-fips-endpoint") ?? false
        dualStack = table.boolean("use-dualstack-endpoint") ?? false
    }

    /// - Throws: Where the keys do not agree.
    func service(in region: String) throws(RequestFault) -> STSService {
        try STSService(region: region, fips: fips, dualStack: dualStack, override: override)
    }

    private static func region(_ node: TOMLNode) throws(ValueFault) -> String {
        let text = try node.text()
        guard ARN.isLabel(text) else { throw ValueFault(" is \(text.quoted); give a region, such as eu-central-1") }
        return text
    }
}
