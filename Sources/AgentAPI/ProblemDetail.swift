package import Outcomes

extension Problem {
    /// What happened, where each part that varies stands with its name: `"token \(label, .token) is locked"`.
    ///
    /// There is no interpolation without a name, so that none can be forgotten.
    package struct Detail: ExpressibleByStringInterpolation, Sendable {
        package struct StringInterpolation: StringInterpolationProtocol {
            fileprivate var text = ""
            fileprivate var parameters: [Parameter: String] = [:]

            package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

            package mutating func appendLiteral(_ literal: String) { text += literal }

            package mutating func appendInterpolation(_ value: some CustomStringConvertible, _ name: Parameter) {
                let value = value.description
                text += value
                parameters[name] = value
            }

            package mutating func appendInterpolation(_ part: Detail) {
                text += part.text
                parameters.merge(part.parameters) { $1 }
            }
        }

        package let text: String
        package let parameters: [Parameter: String]

        package init(stringLiteral text: String) {
            self.text = text
            parameters = [:]
        }

        package init(stringInterpolation: StringInterpolation) {
            text = stringInterpolation.text
            parameters = stringInterpolation.parameters
        }
    }

    /// The names of what varies. They are a promise, as the codes are.
    package enum Parameter: String, CaseIterable, Sendable {
        /// How many there are.
        case count
        /// How many there may be, or how long something may be in bytes.
        case limit
        /// The longest and the shortest PIN that the token takes, in characters.
        case longest, shortest
        case method
        /// Of a file, or in a request.
        case path
        case profile
        /// Why, in English: words of a module, of the system, of AWS, or a rule that a text breaks.
        case reason
        /// What a failed command has left on a token.
        case remains
        /// A time (RFC 3339) until which the agent gives this answer without another attempt.
        case rememberedUntil = "remembered_until"
        /// The name of the code that the token's module answered with, such as `CKR_PIN_INCORRECT`.
        case returnValue = "return_value"
        /// The profile whose session was asked for in order to make the caller's of it, and that has this problem.
        case sourceProfile = "source_profile"
        /// The label in quotes, or what else tells the token from others.
        case token
        case uid
        /// PKCS#11 URI.
        case uri
        /// As it stands in the configuration.
        case value
    }
}

extension ProblemCode {
    /// What the code's problems may have. Any that the cache gives again may have `rememberedUntil`, and any of a profile
    /// with a source profile `sourceProfile`.
    package var parameters: Set<Problem.Parameter> {
        let all: Set<Problem.Parameter> =
            switch self {
            case .badRequest: [.count, .limit, .reason]
            case .notFound: [.path]
            case .methodNotAllowed: [.method, .path]
            case .requestTooLarge: [.limit, .reason]
            case .forbidden, .awsDenied, .awsRejected, .awsThrottled, .awsUnavailable, .awsAnswerInvalid, .clockSkew,
                .ambiguousIdentity, .internalFault:
                [.reason]
            case .lockNotKept: [.path, .reason]
            case .unknownProfile: [.profile]
            case .configuration: [.path, .reason, .token, .value]
            case .noIdentity: [.reason, .token, .uri]
            case .noToken: [.reason, .uri]
            case .pinNeeded: [.count, .profile, .reason, .remains, .token]
            case .pinIncorrect: [.longest, .returnValue, .shortest, .token]
            case .pinBlocked: [.token]
            case .mfaNeeded: [.profile, .reason, .value]
            case .noKey, .objectExists, .tokenRefused, .keyFileRefused, .keyFilePassword: [.reason, .remains, .token]
            case .locked: [.profile, .token]
            case .tokenGone, .moduleFailed, .moduleTimeout: [.reason, .remains, .token]
            case .tokenBusy: [.count, .profile, .reason, .token]
            case .signatureInvalid: [.uri]
            case .tooManyRequests: [.count, .profile, .uid]
            case .requestTimeout, .shuttingDown: []
            }
        return all.union([.rememberedUntil, .sourceProfile])
    }
}
