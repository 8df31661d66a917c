package import AWSNames
package import SigV4

/// An AssumeRole request (STS API reference), still without a date and a signature.
package struct AssumeRoleRequest: Hashable, Sendable {
    package let roleARN: ARN
    package let roleSessionName: String
    package let options: AssumeRoleOptions
    package let service: STSService

    /// - Throws: `RequestFault` for a session name that the service would refuse, and for a role of another partition than
    ///   the service.
    package init(
        role: ARN, sessionName: String, options: AssumeRoleOptions, service: STSService
    ) throws(RequestFault) {
        try RequestText.roleSessionName.check(sessionName)
        if let partition = Partition.known(for: service.region), partition.name != role.partition {
            throw RequestFault(
                message: "role-arn is in partition \(role.partition), region \(service.region) in \(partition.name): "
                    + "credentials of one partition are unknown in another")
        }
        roleARN = role
        roleSessionName = sessionName
        self.options = options
        self.service = service
    }

    /// The request, to be signed by the source's access key.
    ///
    /// - Parameter mfa: Where the role's trust policy wants it, and the access key is that of an IAM user.
    package func unsigned(mfa: MFAProof? = nil) -> UnsignedRequest {
        var form = [
            ("Action", "AssumeRole"), ("RoleArn", roleARN.description), ("RoleSessionName", roleSessionName),
            ("DurationSeconds", "\(options.durationSeconds)"),
        ]
        if let externalID = options.externalID { form.append(("ExternalId", externalID)) }
        if let policy = options.policy { form.append(("Policy", policy)) }
        for (index, arn) in options.policyARNs.enumerated() {
            form.append(("PolicyArns.member.\(index + 1).arn", arn))
        }
        for (index, tag) in options.tags.sorted(by: { $0.key < $1.key }).enumerated() {
            form += [("Tags.member.\(index + 1).Key", tag.key), ("Tags.member.\(index + 1).Value", tag.value)]
        }
        for (index, key) in options.transitiveTagKeys.enumerated() {
            form.append(("TransitiveTagKeys.member.\(index + 1)", key))
        }
        if let sourceIdentity = options.sourceIdentity { form.append(("SourceIdentity", sourceIdentity)) }
        return service.request(form, mfa: mfa)
    }
}
