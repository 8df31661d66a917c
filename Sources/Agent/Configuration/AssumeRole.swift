package import STS

/// A role that the session of another profile is exchanged for.
package struct AssumeRole: Hashable, Sendable {
    /// AWS limits a role that is assumed by a session to one hour, whatever the role allows (IAM user guide, "Role
    /// chaining"). Each source that is served gives sessions.
    static let longestSeconds = 3600

    /// `source-profile`.
    package let base: ProfileName
    package let request: AssumeRoleRequest
}
