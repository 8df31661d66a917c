package import RolesAnywhere

/// A Roles Anywhere session as a profile asks for it.
package struct SessionRequest: Hashable, Sendable {
    package var trustAnchorARN: ARN
    package var profileARN: ARN
    package var roleARN: ARN
    /// 900 to 43,200.
    package var durationSeconds: Int
    package var roleSessionName: String?
    package var instanceProperties: [String: String]
    package var endpoint: Endpoint
    /// An absolute path to a PEM file, which replaces the system's roots.
    package var caBundle: String?

    package init(
        trustAnchorARN: ARN, profileARN: ARN, roleARN: ARN, durationSeconds: Int = 3600,
        roleSessionName: String? = nil, instanceProperties: [String: String] = [:], endpoint: Endpoint,
        caBundle: String? = nil
    ) {
        self.trustAnchorARN = trustAnchorARN
        self.profileARN = profileARN
        self.roleARN = roleARN
        self.durationSeconds = durationSeconds
        self.roleSessionName = roleSessionName
        self.instanceProperties = instanceProperties
        self.endpoint = endpoint
        self.caBundle = caBundle
    }
}
