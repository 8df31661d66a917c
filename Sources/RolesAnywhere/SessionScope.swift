package import AWSNames

/// The three resources that a session is made of, agreeing with each other.
package struct SessionScope: Hashable, Sendable {
    package let trustAnchorARN: ARN
    package let profileARN: ARN
    package let roleARN: ARN

    /// The region whose service is asked, and which is signed: the trust anchor's.
    package var region: String { trustAnchorARN.region }

    /// Partition, region and account must agree: anchor and profile live in one region, and a profile takes roles of its
    /// own account only (IAM Roles Anywhere user guide).
    ///
    /// - Throws: `RequestFault` where the service would refuse with an answer that tells less.
    package init(trustAnchor: ARN, profile: ARN, role: ARN) throws(RequestFault) {
        guard !trustAnchor.region.isEmpty else {
            throw RequestFault(message: "trust anchor \(trustAnchor) names no region")
        }
        try Self.requireSame(
            "region", trustAnchor.region, "the trust anchor", profile.region, "the profile")
        for (other, name) in [(profile, "the profile"), (role, "the role")] {
            try Self.requireSame("partition", trustAnchor.partition, "the trust anchor", other.partition, name)
            try Self.requireSame("account", trustAnchor.account, "the trust anchor", other.account, name)
        }
        try Self.checkPartition(of: trustAnchor)
        (trustAnchorARN, profileARN, roleARN) = (trustAnchor, profile, role)
    }

    private static func requireSame(
        _ what: String, _ left: String, _ leftName: String, _ right: String, _ rightName: String
    ) throws(RequestFault) {
        guard left != right else { return }
        throw RequestFault(
            message: "\(leftName) is in \(what) \(left), \(rightName) in \(right.isEmpty ? "none" : right): "
                + "they must be in the same")
    }

    /// A region and a partition that are both new to us may well belong together.
    private static func checkPartition(of trustAnchor: ARN) throws(RequestFault) {
        let known = Partition.known(for: trustAnchor.region)
        if known == nil, !Partition.isKnown(trustAnchor.partition) { return }
        let expected = known ?? Partition.assumed(for: trustAnchor.region)
        guard expected.name != trustAnchor.partition else { return }
        throw RequestFault(
            message: "region \(trustAnchor.region) belongs to partition \(expected.name), "
                + "the ARNs say \(trustAnchor.partition)")
    }
}
