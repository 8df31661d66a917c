/// What IoT Core's credential provider knows: certificates, what is attached to them, and role aliases.
struct IoTResources: Sendable {
    /// Of the CAs whose certificates clients may show, PEM.
    var authorities: [[UInt8]] = []
    var certificates: [Certificate] = []
    var roleAliases: [RoleAlias] = []

    struct Certificate: Sendable {
        /// IoT's id of a certificate: the SHA-256 of its DER, in hexadecimal.
        let id: String
        var isActive = true
        /// The role aliases for which an attached policy allows `iot:AssumeRoleWithCertificate`.
        var aliases: [String] = []
        var things: [String] = []
    }

    struct RoleAlias: Sendable {
        let name: String
        let roleARN: String
        var durationSeconds = 3600
    }
}
