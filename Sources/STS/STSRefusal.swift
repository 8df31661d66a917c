package import ServiceAnswers

/// An answer of STS that brought no credentials, or none to trust.
package typealias STSError = ServiceError<STSRefusal>

/// Why STS gives no session.
package enum STSRefusal: ServiceRefusal {
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

    /// A key of a profile.
    package enum Setting: String, Hashable, Sendable {
        case tags
        case sourceIdentity = "source-identity"
    }

    package static let service = "STS"
    package static let format = "XML of STS"
    package static let pace = "STS limits how often an account may ask"

    package var isDenial: Bool {
        switch self {
        case .accessDenied, .settingDenied, .mfaCodeRefused, .mfaDeviceRefused, .invalidSignature, .sourceExpired,
            .unknownKey:
            true
        case .malformedPolicy, .packedPolicyTooLarge, .regionDisabled, .chainedTooLong, .tooLongForRole,
            .notForSessions, .validation:
            false
        }
    }

    /// STS takes signatures for some five minutes around its own clock.
    package var clockTolerance: UInt64? {
        switch self {
        case .invalidSignature: 60
        case .accessDenied, .sourceExpired, .unknownKey: 240
        default: nil
        }
    }
}

/// The operations of STS that sessions are made by. The raw value is AWS' name.
package enum STSOperation: String, Hashable, Sendable {
    case assumeRole = "AssumeRole"
    case getSessionToken = "GetSessionToken"
}

/// What makes it worth asking STS again.
package enum STSRetry: Hashable, Sendable {
    /// A pause. `seconds` is the service's own wish, at most 600.
    case pause(seconds: Int?)
    /// Another session of the source.
    case newSource
    /// Another MFA code.
    case newCode
    /// Nothing but a change of the configuration, of the clock or at AWS.
    case change
}

extension STSError {
    package var retry: STSRetry {
        guard case .refused(let refusal) = kind else { return .pause(seconds: retryAfterSeconds) }
        return switch refusal {
        case .sourceExpired, .unknownKey: isClocks ? .change : .newSource
        case .mfaCodeRefused: .newCode
        default: .change
        }
    }

    /// The remedy, in one line, with the setting to change.
    package var hint: String? {
        hint { refusal in
            (operation == STSOperation.getSessionToken.rawValue ? refusal.userHint : nil) ?? refusal.hint
        }
    }
}

extension STSRefusal {
    /// What is told of an IAM user's own access key alone.
    fileprivate var userHint: String? {
        switch self {
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

    fileprivate var hint: String {
        switch self {
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
        }
    }
}
