/// The trust anchors, profiles and roles that this emulator knows.
struct Resources: Sendable {
    var region: String
    var trustAnchors: [TrustAnchor]
    var profiles: [Profile]
    var roles: [Role]
    var users: [IAMUser] = []
    var iot = IoTResources()
    /// The regions that STS takes signatures for; nil: any, because one address stands for all endpoints.
    var stsRegions: [String]?
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
    /// For AssumeRole; nil lets nobody in. What Roles Anywhere and IoT may do stands in the members above.
    var trustPolicy: TrustPolicy?
}

/// An ARN, taken apart only as far as resources are related by it.
struct ResourceName: Hashable, Sendable {
    let text: String
    let partition: String
    let service: String
    let region: String
    let account: String
    let resource: String

    init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[0] == "arn", text.utf8.count <= 1011, parts[1...].allSatisfy({ $0 != "*" }),
            !parts[1].isEmpty, !parts[2].isEmpty, !parts[5].isEmpty
        else { return nil }
        self.text = text
        (partition, service, region, account, resource) = (parts[1], parts[2], parts[3], parts[4], parts[5])
    }
}
