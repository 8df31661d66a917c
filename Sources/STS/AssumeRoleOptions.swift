package import AWSNames
import JSON

/// What an AssumeRole request may have beside its role and the session's name (STS API reference, AssumeRole).
package struct AssumeRoleOptions: Hashable, Sendable {
    package let durationSeconds: Int
    package let externalID: String?
    /// An inline session policy, JSON.
    package let policy: String?
    package let policyARNs: [String]
    package let tags: [String: String]
    /// Tags that sessions of this session have as well.
    package let transitiveTagKeys: [String]
    package let sourceIdentity: String?

    /// - Parameter durationSeconds: 900 to 43,200. A role's own limit may be less, and is an hour for a session of a session.
    /// - Throws: `RequestFault` for what the service would refuse, beginning with the setting's name.
    package init(
        durationSeconds: Int = 3600, externalID: String? = nil, policy: String? = nil, policyARNs: [String] = [],
        tags: [String: String] = [:], transitiveTagKeys: [String] = [], sourceIdentity: String? = nil
    ) throws(RequestFault) {
        guard (900...43_200).contains(durationSeconds) else {
            throw RequestFault(message: "session-duration-seconds \(durationSeconds): give 900 to 43200")
        }
        if let externalID { try RequestText.externalID.check(externalID) }
        if let sourceIdentity { try RequestText.sourceIdentity.check(sourceIdentity) }
        if let policy { try Self.checkPolicy(policy) }
        try Self.check(policyARNs: policyARNs)
        try Self.check(tags: tags, transitive: transitiveTagKeys)
        self.durationSeconds = durationSeconds
        self.externalID = externalID
        self.policy = policy
        self.policyARNs = policyARNs
        self.tags = tags
        self.transitiveTagKeys = transitiveTagKeys
        self.sourceIdentity = sourceIdentity
    }

    /// Checks that a session policy is a JSON object; the service reads its statements.
    package static func checkPolicy(_ text: String) throws(RequestFault) {
        try RequestText.policy.check(text)
        let bytes = Array(text.utf8)
        do throws(JSONFault) {
            guard case .object = try JSONValue(bytes.span, limits: JSONLimits(bytes: 65_536)) else {
                throw JSONFault(.otherValue, at: 0)
            }
        } catch {
            throw RequestFault(message: "policy is no JSON object (byte \(error.offset))")
        }
    }

    private static func check(policyARNs: [String]) throws(RequestFault) {
        guard policyARNs.count <= 10 else {
            throw RequestFault(message: "policy-arns has \(policyARNs.count) policies: give at most 10")
        }
        for text in policyARNs {
            try RequestText.policyARN.check(text)
            let arn = try ARN(text)
            guard arn.service == "iam", arn.region.isEmpty, arn.resource.hasPrefix("policy/") else {
                throw RequestFault(
                    message: "policy-arns \(text.inQuotes): give arn:PARTITION:iam::ACCOUNT:policy/NAME")
            }
        }
    }

    private static func check(tags: [String: String], transitive: [String]) throws(RequestFault) {
        guard tags.count <= 50 else {
            throw RequestFault(message: "tags has \(tags.count) tags: give at most 50")
        }
        for (key, value) in tags.sorted(by: { $0.key < $1.key }) {
            try RequestText.tagKey.check(key)
            try RequestText.tagValue.check(value)
        }
        let keys = Dictionary(grouping: tags.keys) { $0.lowercased() }
        if let twice = keys.values.first(where: { $0.count > 1 })?.sorted() {
            throw RequestFault(message: "tags has \(twice[0].inQuotes) twice: AWS takes capitals for small letters")
        }
        for key in transitive where tags[key] == nil {
            throw RequestFault(message: "transitive-tag-keys \(key.inQuotes) is no key of tags")
        }
        guard Set(transitive).count == transitive.count else {
            throw RequestFault(message: "transitive-tag-keys has a key twice")
        }
    }
}
