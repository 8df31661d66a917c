/// The trust anchors, profiles and roles that this emulator knows.
struct Resources: Sendable {
    var region: String
    var trustAnchors: [TrustAnchor]
    var profiles: [Profile]
    var roles: [Role]
    /// How far a request's date may be off. No figure is published for this service: five minutes is an assumption.
    var skewSeconds = 300

    func trustAnchor(_ name: String) -> TrustAnchor? {
        trustAnchors.first { $0.name.text == name || $0.aliases.contains(name) }
    }

    func profile(_ name: String) -> Profile? {
        profiles.first { $0.name.text == name || $0.aliases.contains(name) }
    }

    func role(_ name: String) -> Role? { roles.first { $0.name.text == name } }
}

struct TrustAnchor: Sendable {
    let name: ResourceName
    var aliases: [String] = []
    var isEnabled = true
    /// DER; at most two.
    let certificates: [[UInt8]]
    /// DER; at most two.
    var revocationLists: [[UInt8]] = []
}

struct Profile: Sendable {
    let name: ResourceName
    var aliases: [String] = []
    var isEnabled = true
    let roleARNs: [String]
    var durationSeconds = 3600
    var acceptsRoleSessionName = false
    var requiresInstanceProperties = false
}

struct Role: Sendable {
    let name: ResourceName
    var maxSessionDuration = 3600
    /// `aws:PrincipalTag/…` conditions of the trust policy, all of which must hold.
    var principalTags: [String: String] = [:]
    /// The `aws:SourceArn` condition: a trust anchor.
    var sourceARN: String?
}
