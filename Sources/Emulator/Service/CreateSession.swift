import COpenSSL

/// The verdict on one CreateSession request: the checks of the service, in its order.
struct CreateSession {
    let resources: Resources
    let now: UTCTime
    /// Nil: any.
    let hostNames: Set<String>?

    func grant(_ request: ReceivedRequest, trace: inout Trace) throws(Refusal) -> SessionGrant {
        let signature = try X509Signature(
            request, region: resources.region, skewSeconds: resources.skewSeconds, at: now, trace: &trace)
        try checkHost(request)
        try checkLeaf(signature.leaf)

        let parameters = try SessionParameters(request)
        guard let anchor = resources.trustAnchor(parameters.trustAnchorARN) else {
            throw .notFound("Trust anchor not found: \(parameters.trustAnchorARN)")
        }
        try checkPath(signature, to: anchor)

        guard let profile = resources.profile(parameters.profileARN) else {
            throw .notFound("Profile not found: \(parameters.profileARN)")
        }
        let tags = PrincipalTags(signature.leaf)
        let role = try role(parameters.roleARN, of: profile, anchor: anchor, tags: tags)
        let hexSerial = signature.leaf.hexSerial
        let sessionName = try sessionName(parameters, profile: profile, hexSerial: hexSerial)
        try checkInstanceProperties(parameters, profile: profile)
        return SessionGrant(
            role: role.name, sessionName: sessionName, sourceIdentity: tags.sourceIdentity(hexSerial: hexSerial),
            subjectARN: subjectARN(of: signature.leaf, anchor: anchor), tags: tags.values,
            expiration: now.advanced(by: try duration(parameters, profile: profile, role: role)))
    }

    /// The service has one name in each region. Its port is not compared: tests reach the emulator through relays.
    private func checkHost(_ request: ReceivedRequest) throws(Refusal) {
        guard let hostNames, let host = request.value(of: "host") else { return }
        guard hostNames.contains(host.prefix { $0 != ":" }.lowercased()) else {
            throw .denied("The Host header names '\(host)', where no such service is")
        }
    }

    /// The service's rules for an end-entity certificate (IAM Roles Anywhere user guide, "trust model").
    private func checkLeaf(_ leaf: ReceivedCertificate) throws(Refusal) {
        if leaf.version != 2 { throw .denied("The certificate is not an X.509 v3 certificate") }
        if leaf.isCA { throw .denied("The certificate is a CA certificate") }
        if !leaf.allowsKeyUsage(KU_DIGITAL_SIGNATURE) { throw .insufficientCertificate }
        if !leaf.isSignedWithStrongDigest {
            throw .denied("The certificate is not signed with SHA-256 or stronger")
        }
        if !leaf.hasAcceptedKey {
            throw .denied("The certificate's key is neither RSA of 2048 to 4096 bits nor on P-256, P-384 or P-521")
        }
        if leaf.hasEmptySubject { throw .denied("The certificate has an empty subject") }
        guard let notBefore = leaf.notBefore, let notAfter = leaf.notAfter else {
            throw .denied("The certificate's validity cannot be read")
        }
        if now < notBefore { throw .denied("The certificate is not valid before \(notBefore.extended)") }
        if now > notAfter { throw .denied("The certificate expired at \(notAfter.extended)") }
    }

    private func checkPath(_ signature: X509Signature, to anchor: TrustAnchor) throws(Refusal) {
        let path: CertificatePath
        do {
            path = try CertificatePath(
                leaf: signature.leaf, untrusted: signature.chain,
                anchors: anchor.certificates.compactMap(ReceivedCertificate.init), at: now)
        } catch {
            throw .untrusted(error.reason)
        }
        // The guide has this rule for leaves and anchors; that it holds between them is an assumption.
        guard path.certificates.allSatisfy(\.isSignedWithStrongDigest) else {
            throw .untrusted("an issuer in the path is signed with a digest weaker than SHA-256")
        }
        if path.isRevoked(by: anchor.revocationLists.compactMap(RevocationList.init)) {
            throw .denied("The certificate is revoked")
        }
    }

    private func role(_ arn: String, of profile: Profile, anchor: TrustAnchor, tags: PrincipalTags)
        throws(Refusal) -> Role
    {
        if !anchor.isEnabled { throw .denied("The trust anchor is disabled") }
        if !profile.isEnabled { throw .denied("The profile is disabled") }
        guard anchor.name.region == profile.name.region, anchor.name.account == profile.name.account else {
            throw .denied("The trust anchor and the profile are not in one account and region")
        }
        guard profile.roleARNs.contains(arn) else { throw .cannotAssume(arn, "the profile does not list this role") }
        guard let role = resources.role(arn) else { throw .cannotAssume(arn, "there is no such role") }
        guard role.name.account == profile.name.account else {
            throw .cannotAssume(arn, "the role is in another account than the profile")
        }
        if let source = role.sourceARN, source != anchor.name.text {
            throw .cannotAssume(arn, "the trust policy wants aws:SourceArn \(source)")
        }
        for (key, value) in role.principalTags where tags.values[key] != value {
            throw .cannotAssume(arn, "the trust policy wants aws:PrincipalTag/\(key) to be '\(value)'")
        }
        return role
    }

    private func sessionName(_ parameters: SessionParameters, profile: Profile, hexSerial: String)
        throws(Refusal) -> String
    {
        guard let name = parameters.roleSessionName else { return hexSerial }
        // The rule is that of AssumeRole in the STS API reference.
        if name.utf8.count < 2 { throw .invalid(name, at: "roleSessionName", "have length greater than or equal to 2") }
        if name.utf8.count > 64 { throw .invalid(name, at: "roleSessionName", "have length less than or equal to 64") }
        guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) || "_+=,.@-".contains($0) }) else {
            throw .invalid(name, at: "roleSessionName", "satisfy regular expression pattern: [\\w+=,.@-]*")
        }
        guard profile.acceptsRoleSessionName else { throw .sessionNameNotAccepted }
        return name
    }

    private func checkInstanceProperties(_ parameters: SessionParameters, profile: Profile) throws(Refusal) {
        let properties = parameters.instanceProperties
        if properties.count > 50 {
            throw .invalid(String(properties.count), at: "instanceProperties", "have length less than or equal to 50")
        }
        for (key, value) in properties where !(1...200).contains(key.count) || !(1...200).contains(value.count) {
            throw .invalid(key, at: "instanceProperties", "have keys and values with length between 1 and 200")
        }
        if profile.requiresInstanceProperties && properties.isEmpty {
            throw .denied("The profile requires instance properties")
        }
    }

    /// `min(profile, request)`, which must not be more than the role allows.
    private func duration(_ parameters: SessionParameters, profile: Profile, role: Role) throws(Refusal) -> Int {
        let requested = parameters.durationSeconds ?? profile.durationSeconds
        if requested < 900 {
            throw .invalid(String(requested), at: "durationSeconds", "have value greater than or equal to 900")
        }
        if requested > 43_200 {
            throw .invalid(String(requested), at: "durationSeconds", "have value less than or equal to 43200")
        }
        let duration = min(requested, profile.durationSeconds)
        if duration > role.maxSessionDuration { throw .longerThanRoleAllows(role.name.text) }
        return duration
    }

    /// One subject for each subject name, in the anchor's account and region; the UUID is made of a digest of it.
    private func subjectARN(of leaf: ReceivedCertificate, anchor: TrustAnchor) -> String {
        let uuid = UUIDText.make(of: Digest.sha256(leaf.encodedSubject))
        return "arn:\(anchor.name.partition):rolesanywhere:\(anchor.name.region):\(anchor.name.account):subject/\(uuid)"
    }
}
