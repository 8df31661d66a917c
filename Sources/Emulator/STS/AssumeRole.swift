import FoundationEssentials

/// STS AssumeRole (STS API reference), for a caller whose signature has been verified.
struct AssumeRole {
    let resources: Resources
    let caller: Caller
    let now: UTCTime
    let hasMFA: Bool

    /// What AWS makes of policies and tags is packed; this is a guess at how much goes in.
    private static let packedRoom = 2048

    func answer(_ parameters: STSParameters) throws(STSError) -> STSAnswer {
        let arn = try parameters.required("RoleArn", 20...2048)
        let sessionName = try parameters.required("RoleSessionName", 2...64, "+=,.@-")
        let externalID = try parameters.text("ExternalId", 2...1224, "+=,.@:/-")
        let sourceIdentity = try parameters.text("SourceIdentity", 2...64, "+=,.@-")
        let duration = try parameters.duration(900...43_200) ?? 3600
        let tags = try parameters.tags()
        let transitive = try parameters.list("TransitiveTagKeys", most: 50)
        let packed = try packedSize(parameters, tags: tags)

        let context = context(
            parameters, externalID: externalID, sourceIdentity: sourceIdentity, tags: tags, transitive: transitive,
            sessionName: sessionName)
        let role = try trustingRole(arn, context)
        let inherited = try inheritedTags(tags, role: role, context)
        let identity = try persisted(sourceIdentity, role: role, context)
        if let unknown = transitive.first(where: { tags[$0] == nil }) {
            throw STSError(
                status: 400, code: "InvalidParameterValue",
                message: "The transitive tag key \(unknown) is not among the tags")
        }
        try check(duration, role)

        let session = IssuedSession(
            CallerIdentity(
                arn: assumedARN(role.name, sessionName), userID: assumedID(role.name, sessionName),
                account: role.name.account),
            expiration: now.advanced(by: duration),
            attributes: SessionAttributes(
                roleARN: role.name.text, sourceIdentity: identity, tags: inherited.merging(tags) { $1 },
                transitiveTagKeys: Set(inherited.keys).union(transitive), hasMFA: hasMFA))
        var answer = STSAnswer(action: "AssumeRole", session: session)
        answer.assumedRole = session.identity
        answer.packedPolicySize = packed
        answer.sourceIdentity = identity
        return answer
    }

    private func trustingRole(_ arn: String, _ context: [String: [String]]) throws(STSError) -> Role {
        guard let role = resources.role(arn), let policy = role.trustPolicy,
            policy.allows("sts:AssumeRole", to: principals, in: context)
        else { throw notAuthorized("sts:AssumeRole", arn) }
        return role
    }

    /// The tags that the caller's session passes on. Each tag of a session needs `sts:TagSession`.
    private func inheritedTags(
        _ tags: [String: String], role: Role, _ context: [String: [String]]
    ) throws(STSError) -> [String: String] {
        let attributes = caller.session?.attributes
        let inherited = attributes?.tags.filter { attributes?.transitiveTagKeys.contains($0.key) == true } ?? [:]
        if let twice = tags.keys.first(where: { key in inherited.keys.contains { $0.lowercased() == key.lowercased() } }
        ) {
            throw STSError(
                status: 400, code: "InvalidParameterValue",
                message: "The tag key \(twice) is inherited from the calling session and cannot be set again")
        }
        if !tags.isEmpty || !inherited.isEmpty { try require("sts:TagSession", role, context) }
        return inherited
    }

    /// A source identity stays through the chain, and needs `sts:SetSourceIdentity` at each role of it.
    private func persisted(
        _ asked: String?, role: Role, _ context: [String: [String]]
    ) throws(STSError) -> String? {
        let present = caller.session?.attributes.sourceIdentity
        guard let identity = asked ?? present else { return nil }
        if let asked, let present, asked != present { throw notAuthorized("sts:SetSourceIdentity", role.name.text) }
        try require("sts:SetSourceIdentity", role, context)
        return identity
    }

    private func require(_ action: String, _ role: Role, _ context: [String: [String]]) throws(STSError) {
        guard role.trustPolicy?.allows(action, to: principals, in: context) == true else {
            throw notAuthorized(action, role.name.text)
        }
    }

    private func notAuthorized(_ action: String, _ arn: String) -> STSError {
        .accessDenied("User: \(caller.identity.arn) is not authorized to perform: \(action) on resource: \(arn)")
    }

    private func check(_ duration: Int, _ role: Role) throws(STSError) {
        if caller.session != nil, duration > 3600 {
            throw .validation(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
        }
        if duration > role.maxSessionDuration {
            throw .validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        }
    }

    /// In per cent; nil where there is nothing to pack.
    private func packedSize(_ parameters: STSParameters, tags: [String: String]) throws(STSError) -> Int? {
        let policy = parameters.form["Policy"]
        if let policy {
            guard (try? JSONDecoder().decode([String: Ignored].self, from: Data(policy.utf8))) != nil else {
                throw STSError(
                    status: 400, code: "MalformedPolicyDocument", message: "This policy contains invalid Json")
            }
        }
        let arns = try parameters.list("PolicyArns", ".arn", most: 10)
        guard policy != nil || !arns.isEmpty || !tags.isEmpty else { return nil }
        let bytes =
            (policy?.utf8.count ?? 0) + arns.reduce(0) { $0 + $1.utf8.count }
            + tags.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        let size = max(1, bytes * 100 / Self.packedRoom)
        guard size <= 100 else {
            let what = policy == nil && arns.isEmpty ? "session tags" : "policy"
            throw STSError(
                status: 400, code: "PackedPolicyTooLarge",
                message: "Packed size of \(what) consumes \(size)% of allotted space.")
        }
        return size
    }

    /// All names by which a policy may trust the caller.
    private var principals: Set<String> {
        var names: Set = [caller.identity.arn, caller.identity.account]
        if let role = caller.session?.attributes.roleARN { names.insert(role) }
        return names
    }

    private func context(
        _ parameters: STSParameters, externalID: String?, sourceIdentity: String?, tags: [String: String],
        transitive: [String], sessionName: String
    ) -> [String: [String]] {
        let attributes = caller.session?.attributes
        var context = [
            "sts:rolesessionname": [sessionName], "aws:principalarn": [attributes?.roleARN ?? caller.identity.arn],
            "aws:principalaccount": [caller.identity.account],
        ]
        // A key that lasts has no such key unless a code comes with it.
        if hasMFA || caller.session != nil {
            context["aws:multifactorauthpresent"] = ["\(hasMFA || attributes?.hasMFA == true)"]
        }
        if let externalID { context["sts:externalid"] = [externalID] }
        if let identity = attributes?.sourceIdentity { context["aws:sourceidentity"] = [identity] }
        if let sourceIdentity { context["sts:sourceidentity"] = [sourceIdentity] }
        for (key, value) in tags { context["aws:requesttag/\(key.lowercased())"] = [value] }
        for (key, value) in attributes?.tags ?? [:] { context["aws:principaltag/\(key.lowercased())"] = [value] }
        if !tags.isEmpty { context["aws:tagkeys"] = Array(tags.keys) }
        if !transitive.isEmpty { context["sts:transitivetagkeys"] = transitive }
        return context
    }
}

/// `arn:aws:sts::111122223333:assumed-role/NAME/SESSION`; the role's path is not part of it.
func assumedARN(_ role: ResourceName, _ session: String) -> String {
    let name = role.resource.split(separator: "/").last.map(String.init) ?? role.resource
    return "arn:\(role.partition):sts::\(role.account):assumed-role/\(name)/\(session)"
}

/// `AROA…:SESSION`, the same for one role every time.
func assumedID(_ role: ResourceName, _ session: String) -> String {
    "AROA" + AccessKeyAlphabet.encode(Digest.sha256(Array(role.text.utf8)).prefix(17)) + ":" + session
}
