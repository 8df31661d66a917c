/// The emulator's configuration at its start.
package struct EmulatorConfiguration: Sendable {
    var resources: Resources
    package var latencyMilliseconds = 0
    /// CreateSession requests a second before throttling; nil for no limit.
    package var ratePerSecond: Int?
    package var faults: [Fault] = []
    /// How far the emulator's clock is off, seconds.
    package var clockOffsetSeconds = 0
    /// The hosts that a Host header may name, without the port; nil: any.
    package var hostNames: Set<String>?

    /// - Throws: The fault of the file, or of a certificate or list that it names.
    package init(file: String) throws(ConfigurationError) {
        resources = try ConfigurationFile.load(file)
    }

    /// One trust anchor with one profile and one role, under names that are always the same.
    ///
    /// The profile takes session names, and role and profile allow twelve hours. A second role, named after the first with
    /// `-admin`, trusts the account.
    package init(trustAnchorPEM file: String, names: DemoNames) throws(ConfigurationError) {
        guard let anchor = ResourceName(names.trustAnchorARN), let profile = ResourceName(names.profileARN),
            let role = ResourceName(names.roleARN), let admin = ResourceName(names.roleARN + "-admin")
        else { throw ConfigurationError(path: file, reason: "region and account do not make an ARN") }
        resources = Resources(
            region: names.region, trustAnchors: [try TrustAnchor(name: anchor, files: [file])],
            profiles: [
                Profile(name: profile, roleARNs: [names.roleARN], durationSeconds: 43_200, acceptsRoleSessionName: true)
            ],
            roles: [
                Role(name: role, maxSessionDuration: 43_200),
                Role(name: admin, maxSessionDuration: 43_200, trustPolicy: .trusting(role.account)),
            ])
    }
}

/// The ARNs of the emulator that runs without a configuration file.
package struct DemoNames: Sendable {
    let region: String
    package let trustAnchorARN: String
    package let profileARN: String
    package let roleARN: String

    package init(region: String, account: String) {
        let service = "arn:aws:rolesanywhere:\(region):\(account)"
        self.region = region
        trustAnchorARN = "\(service):trust-anchor/00000000-0000-4000-8000-000000000001"
        profileARN = "\(service):profile/00000000-0000-4000-8000-000000000002"
        roleARN = "arn:aws:iam::\(account):role/tokenward-demo"
    }

    package var json: String {
        """
        {"trustAnchorArn":"\(trustAnchorARN)","profileArn":"\(profileARN)","roleArn":"\(roleARN)"}
        """
    }
}
