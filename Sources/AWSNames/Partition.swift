/// A group of regions with DNS suffixes of its own.
///
/// The table is that of the AWS SDKs (`partitions.json`).
package struct Partition: Hashable, Sendable {
    package let name: String
    /// The beginnings of its regions' names, dash included.
    let regionPrefixes: [String]
    let suffix: String
    let dualStackSuffix: String
}

extension Partition {
    /// `us-gov-`, `us-iso-` and the like come before `us-`.
    private static let known = [
        Partition(
            name: "aws-us-gov", regionPrefixes: ["us-gov-"], suffix: "amazonaws.com", dualStackSuffix: "api.aws"),
        Partition(
            name: "aws-cn", regionPrefixes: ["cn-"], suffix: "amazonaws.com.cn",
            dualStackSuffix: "api.amazonwebservices.com.cn"),
        Partition(
            name: "aws-eusc", regionPrefixes: ["eusc-"], suffix: "amazonaws.eu",
            dualStackSuffix: "api.amazonwebservices.eu"),
        Partition(
            name: "aws-iso", regionPrefixes: ["us-iso-"], suffix: "c2s.ic.gov", dualStackSuffix: "api.aws.ic.gov"),
        Partition(
            name: "aws-iso-b", regionPrefixes: ["us-isob-"], suffix: "sc2s.sgov.gov", dualStackSuffix: "api.aws.scloud"),
        Partition(
            name: "aws-iso-e", regionPrefixes: ["eu-isoe-"], suffix: "cloud.adc-e.uk",
            dualStackSuffix: "api.cloud-aws.adc-e.uk"),
        Partition(
            name: "aws-iso-f", regionPrefixes: ["us-isof-"], suffix: "csp.hci.ic.gov",
            dualStackSuffix: "api.aws.hci.ic.gov"),
        aws,
    ]

    private static let aws = Partition(
        name: "aws", regionPrefixes: ["us-", "eu-", "ap-", "sa-", "ca-", "me-", "af-", "il-", "mx-"],
        suffix: "amazonaws.com", dualStackSuffix: "api.aws")

    /// The partition of a region, if its name tells.
    package static func known(for region: String) -> Partition? {
        known.first { $0.regionPrefixes.contains { region.hasPrefix($0) } }
    }

    /// The partition of a region; `aws` for those whose names tell nothing, as in the AWS SDKs.
    package static func assumed(for region: String) -> Partition { known(for: region) ?? aws }

    package static func isKnown(_ name: String) -> Bool { known.contains { $0.name == name } }
}
