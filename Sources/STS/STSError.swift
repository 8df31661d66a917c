import AWSNames
package import ServiceAnswers

/// An answer of STS that brought no credentials, or none to trust.
package struct STSError: Error, Hashable, Sendable {
    /// The kinds that callers tell apart.
    package enum Kind: Hashable, Sendable {
        /// The role's trust policy, or the caller's own policies, do not let the caller assume it.
        case accessDenied
        /// A permission that a setting needs is missing: `sts:TagSession`, `sts:SetSourceIdentity`.
        case settingDenied(Setting)
        /// The MFA code is wrong, was used before, or comes too late.
        case mfaCodeRefused
        /// No code was sent, or none can be: the caller is a session, or the device is not the caller's.
        case mfaDeviceRefused
        case malformedPolicy
        case packedPolicyTooLarge
        /// STS is off in this region for the account.
        case regionDisabled
        /// The source's session is at its end.
        case sourceExpired
        /// The source's access key, or its session token, is unknown there.
        case unknownKey
        case invalidSignature
        /// A session that was made by a session lasts an hour at most.
        case chainedTooLong
        /// The role has a shorter limit.
        case tooLongForRole
        /// GetSessionToken was asked with a session.
        case notForSessions
        /// The service found a parameter at fault.
        case validation
        /// Asked too often. `retryAfterSeconds` is the wait that the service asked for, at most 600.
        case throttled(retryAfterSeconds: Int?)
        /// The service is at fault. `retryAfterSeconds` is the wait that it asked for, at most 600.
        case server(retryAfterSeconds: Int?)
        /// Something that is not STS answered: a captive portal, a proxy's page.
        case notXML
        /// No redirect is followed: the signature is for one host.
        case redirect
        /// The credentials have expired, or have a minute or less to live.
        case expiredAnswer
        /// The credentials are for another role or session than the one asked for.
        case wrongRole
        /// The answer does not follow the service's model; `field` tells where.
        case malformed(field: String)
        /// A status or a code that is new to us.
        case other
    }

    /// A key of a profile.
    package enum Setting: String, Hashable, Sendable {
        case tags
        case sourceIdentity = "source-identity"
    }

    /// What makes it worth asking again.
    package enum Retry: Hashable, Sendable {
        /// A pause. `seconds` is the service's own wish, at most 600.
        case pause(seconds: Int?)
        /// Another session of the source.
        case newSource
        /// Another MFA code.
        case newCode
        /// Nothing but a change of the configuration, of the clock or at AWS.
        case change
    }

    package let operation: STSOperation
    package let kind: Kind
    package let status: Int
    /// The service's name for the error, such as `AccessDenied`.
    package let code: String?
    /// The service's own words: one line, at most 300 characters, without control characters.
    package let serviceMessage: String?
    /// For AWS support.
    package let requestID: String?
    /// From the answer's Date header.
    package let clockSkew: ClockSkew?

    package var retry: Retry {
        switch kind {
        case .throttled(let seconds), .server(let seconds): .pause(seconds: seconds)
        case .notXML, .redirect, .expiredAnswer, .wrongRole, .malformed, .other: .pause(seconds: nil)
        case .sourceExpired, .unknownKey: isClocks ? .change : .newSource
        case .mfaCodeRefused: .newCode
        case .accessDenied, .settingDenied, .mfaDeviceRefused, .malformedPolicy, .packedPolicyTooLarge,
            .regionDisabled, .invalidSignature, .chainedTooLong, .tooLongForRole, .notForSessions, .validation:
            .change
        }
    }

    /// Whether the clock explains the refusal: STS takes signatures for some five minutes around its own.
    package var isClocks: Bool {
        guard let clockSkew, clockSkew.isSignificant else { return false }
        return switch kind {
        case .invalidSignature, .expiredAnswer: true
        case .accessDenied, .sourceExpired, .unknownKey: clockSkew.seconds.magnitude > 240
        default: false
        }
    }
}

/// The operations of STS that sessions are made by. The raw value is AWS' name.
package enum STSOperation: String, Hashable, Sendable {
    case assumeRole = "AssumeRole"
    case getSessionToken = "GetSessionToken"
}

extension STSError {
    /// One line: what happened, in the service's words where there are any.
    package var message: String {
        let words = [code, serviceMessage].compactMap(\.self).joined(separator: ": ")
        let detail = words.isEmpty ? "" : ": \(words)"
        return switch kind {
        case .notXML: "the endpoint answered \(status) with something that is not XML of STS"
        case .redirect: "the endpoint answered \(status), a redirect, which is not followed"
        case .expiredAnswer: "STS sent credentials that have expired or are about to"
        case .wrongRole: "STS sent credentials for another role or session"
        case .malformed(let field): "the answer of STS is not valid at \(field)"
        case .throttled: "\(operation.rawValue) was throttled (\(status))\(detail)"
        case .server: "STS failed with \(status)\(detail)"
        default: "\(operation.rawValue) was refused with \(status)\(detail)"
        }
    }

    /// The remedy, in one line, with the setting to change.
    package var hint: String? {
        if isClocks, let hint = clockSkew?.hint { return hint }
        return (operation == .getSessionToken ? userHint : nil) ?? commonHint
    }

    /// What is told of an IAM user's own access key alone.
    private var userHint: String? {
        switch kind {
        case .accessDenied: "check mfa-serial, and the policies of the IAM user"
        case .unknownKey:
            "the access key is inactive or deleted, or its account is in another partition: see it in IAM, then correct "
                + "access-key-id or region"
        case .invalidSignature:
            "the secret key on the token is not that of access-key-id, or a proxy or gateway has changed the request: name "
                + "the right one in secret-key, or put the secret there once more"
        case .validation: "check session-duration-seconds and mfa-serial"
        default: nil
        }
    }

    private var commonHint: String? {
        switch kind {
        case .accessDenied:
            "check that role-arn exists and its trust policy lets the source in, with external-id, source-identity, tags "
                + "and MFA as it wants them, and that the source's own policies allow sts:AssumeRole"
        case .settingDenied(.tags):
            "let the role's trust policy allow sts:TagSession to the source, or remove tags and transitive-tag-keys"
        case .settingDenied(.sourceIdentity):
            "let the role's trust policy allow sts:SetSourceIdentity to the source, or remove source-identity; a source "
                + "identity that is set once stays the same through the chain, and Roles Anywhere sets it to the "
                + "certificate's CN"
        case .mfaCodeRefused:
            "give the device's next code: each is taken once; if that is refused as well, mfa-serial is another device's"
        case .mfaDeviceRefused:
            "set mfa-serial to the device of the IAM user whose access key begins the chain; a session, such as one of "
                + "Roles Anywhere or IoT, has no MFA: let the role trust the certificate's attributes (aws:PrincipalTag) "
                + "in place of aws:MultiFactorAuthPresent"
        case .malformedPolicy: "correct policy: the service's words tell where"
        case .packedPolicyTooLarge:
            "shorten policy, or give fewer policy-arns and tags: AWS packs them together and limits the whole"
        case .regionDisabled: "set region to one where STS is active for the account, or activate it in IAM"
        case .sourceExpired: "check source-profile and this machine's clock"
        case .unknownKey:
            "the source's session is not known in this partition or was revoked: check source-profile, region and endpoint"
        case .invalidSignature: "the clock agrees with the service's: a proxy or gateway may have changed the request"
        case .chainedTooLong:
            "set session-duration-seconds to 3600 or less: AWS limits a role that is assumed by a session to one hour"
        case .tooLongForRole: "set session-duration-seconds to the role's MaxSessionDuration or less, or raise that"
        case .notForSessions: "take mfa-serial out: only an IAM user's own access key can ask for a session with MFA"
        case .validation: "check role-arn, role-session-name, external-id, tags and session-duration-seconds"
        case .throttled: "wait; STS limits how often an account may ask"
        case .server: "wait; the service is asked again by itself"
        case .notXML, .redirect: "a captive portal or a proxy may answer in the service's place; see endpoint"
        case .expiredAnswer: "compare this machine's clock with the service's"
        case .wrongRole, .malformed: "check endpoint: something else than STS may answer there"
        case .other: nil
        }
    }
}
