// The thin client has no use for it: to compare strings, Embedded Swift would link Unicode's tables.
#if !hasFeature(Embedded)
    /// The kind of a problem, as a stable word for programs. A case exists when a caller decides differently because of
    /// it.
    package enum ProblemCode: String, CaseIterable, Sendable {
        case badRequest = "bad-request"
        case notFound = "not-found"
        case methodNotAllowed = "method-not-allowed"
        case requestTooLarge = "request-too-large"
        case requestTimeout = "request-timeout"
        case forbidden
        case unknownProfile = "unknown-profile"
        case configuration
        case noIdentity = "no-identity"
        case ambiguousIdentity = "ambiguous-identity"
        case noToken = "no-token"
        /// Not one key is what a management command means.
        case noKey = "no-key"
        /// What is to be made has an id or a label that is taken.
        case objectExists = "object-exists"
        /// The token does not do what a management command asks of it: it is full, read-only, or has no such function.
        case tokenRefused = "token-refused"
        /// A file holds no private key that can be brought to a token.
        case keyFileRefused = "key-file-refused"
        /// The password of a key file is missing, or another one.
        case keyFilePassword = "key-file-password"
        case pinNeeded = "pin-needed"
        case pinIncorrect = "pin-incorrect"
        case pinBlocked = "pin-blocked"
        case mfaNeeded = "mfa-needed"
        case locked
        /// Locked, but only until the agent ends.
        case lockNotKept = "lock-not-kept"
        case tokenGone = "token-gone"
        case tokenBusy = "token-busy"
        case moduleFailed = "module-failed"
        case moduleTimeout = "module-timeout"
        case signatureInvalid = "signature-invalid"
        case awsDenied = "aws-denied"
        case awsRejected = "aws-rejected"
        case awsThrottled = "aws-throttled"
        case awsUnavailable = "aws-unavailable"
        case awsAnswerInvalid = "aws-answer-invalid"
        case clockSkew = "clock-skew"
        case tooManyRequests = "too-many-requests"
        case shuttingDown = "shutting-down"
        case internalFault = "internal"
    }

    extension ProblemCode {
        /// The HTTP status that goes with the code (RFC 9110 §15).
        package var status: Int {
            switch self {
            case .badRequest: 400
            case .forbidden: 403
            case .notFound, .unknownProfile, .noToken, .noKey: 404
            case .methodNotAllowed: 405
            case .requestTimeout: 408
            case .noIdentity, .ambiguousIdentity, .objectExists: 409
            case .requestTooLarge: 413
            case .pinIncorrect, .tokenRefused, .keyFileRefused, .keyFilePassword: 422
            case .pinNeeded, .pinBlocked, .mfaNeeded, .locked: 423
            case .tooManyRequests: 429
            case .configuration, .internalFault, .signatureInvalid: 500
            case .awsDenied, .awsRejected, .awsAnswerInvalid, .clockSkew: 502
            case .lockNotKept, .tokenGone, .tokenBusy, .moduleFailed, .awsThrottled, .awsUnavailable, .shuttingDown: 503
            case .moduleTimeout: 504
            }
        }

        /// The exit code of a client that is told this.
        package var exit: ExitCode {
            switch self {
            case .badRequest, .objectExists, .keyFileRefused, .keyFilePassword: .usage
            case .notFound, .methodNotAllowed, .requestTooLarge: .software
            case .noToken, .noKey, .noIdentity, .ambiguousIdentity: .noInput
            case .forbidden, .awsDenied, .tokenRefused: .noPermission
            case .unknownProfile, .configuration, .awsRejected, .clockSkew: .configuration
            case .pinNeeded, .pinIncorrect, .mfaNeeded, .locked: .pinNeeded
            case .tokenGone, .pinBlocked: .tokenGone
            case .internalFault, .signatureInvalid: .software
            case .lockNotKept, .requestTimeout, .tokenBusy, .moduleFailed, .moduleTimeout, .awsThrottled,
                .awsUnavailable, .awsAnswerInvalid, .tooManyRequests, .shuttingDown:
                .temporaryFailure
            }
        }
    }
#endif
