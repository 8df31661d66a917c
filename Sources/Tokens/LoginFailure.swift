import AgentAPI
import PKCS11URI
import Prompts
import TokenService

/// Why there is no login to a token.
enum LoginFailure: Error, Hashable, Sendable {
    /// A person locked it.
    case locked
    /// Only a person has the PIN.
    case needed
    /// A person was asked for it, and did not give it.
    case declined(PromptAnswer.Decline)
    /// There is a person to ask, but no prompt came about.
    case unaskable(reason: String)
    /// The reader's keypad takes the PIN, and is switched on only for a person who asks by name.
    case keypad
    /// Several modules show a token of this description, and nothing says which of them may have its PIN.
    case ambiguous([PKCS11URI])
    /// Nothing was sent to the token.
    case notSent(LoginRefusal)
    /// The token refused the PIN; the name is the code's.
    case rejected(name: String, oddities: [PINOddity] = [])
    /// A login has handed a PIN over, and the token has refused one before, or has not answered.
    case notFromLogin
    /// So many PINs were refused by the module's tokens that no other would be known again.
    case triesUnkept
    /// A PIN was sent, and it is not known whether the token took it.
    case unanswered
    /// CKR_PIN_LOCKED
    case blocked
    case module(ModuleFailure)

    /// Nil where there is a login.
    init?(_ outcome: LoginOutcome) {
        switch outcome {
        case .loggedIn, .notNeeded: return nil
        case .refused(let refusal): self = .notSent(refusal)
        case .rejected(LoginOutcome.pinLocked, _, _, _): self = .blocked
        case .rejected(_, let name, _, let oddities): self = .rejected(name: name, oddities: oddities)
        }
    }

    var isBlocked: Bool { self == .blocked || self == .notSent(.locked) }

    /// The token itself has judged a PIN.
    var isOfToken: Bool { if case .rejected = self { true } else { isBlocked } }
}

extension LoginFailure {
    /// The problem that a client is told.
    func problem(for token: TokenDescription) -> Problem {
        let name: Problem.Detail = "token \(token.displayName, .token)"
        let unlock = "run 'tokenward unlock'"
        return switch self {
        case .locked: Problem(.locked, "\(name) is locked", hint: unlock)
        case .needed: Problem(.pinNeeded, "\(name) needs its PIN", hint: unlock)
        case .declined(let decline):
            Problem(
                .pinNeeded, "\(name) needs its PIN, which was asked for, and \(decline, .reason)",
                hint: "\(unlock), or 'tokenward refresh PROFILE' to be asked again")
        case .unaskable(let reason):
            Problem(
                .pinNeeded, "\(name) needs its PIN, and could not ask: \(reason, .reason)", hint: unlock,
                retryAfter: 60, retry: .person)
        case .keypad:
            Problem(
                .pinNeeded, "\(name) wants its PIN on the reader's keypad",
                hint: "\(unlock), or 'tokenward refresh PROFILE' where its key wants the PIN each time")
        case .ambiguous(let all):
            Problem(
                .pinNeeded, "\(all.count, .count) modules show \(name), so its PIN is sent to none of them",
                hint: "name the module, to 'tokenward unlock' or in the uri of its [[token]]: "
                    + all.map { "'\($0)'" }.joined(separator: " or "))
        case .blocked, .notSent(.locked):
            Problem(
                .pinBlocked, "the PIN of \(name) is blocked",
                hint: "unblock it with the vendor's tool and the PUK or the security officer's PIN")
        case .rejected(let code, let oddities):
            Problem(
                .pinIncorrect, "\(name) refused its PIN (\(code, .returnValue)), which is not tried again",
                hint: (oddities.sentence.map { "the PIN has \($0): check it" } ?? "check the PIN") + ", then \(unlock)")
        case .unanswered:
            Problem(
                .pinIncorrect, "\(name) was sent a PIN and did not answer, so none is sent again by itself",
                hint: "check the PIN and the tries that are left, then \(unlock)")
        case .notFromLogin:
            Problem(
                .pinNeeded, "\(name) has refused a PIN or not answered to it, so one of a login is not sent",
                hint: "\(unlock) and type the PIN")
        case .triesUnkept:
            Problem(
                .moduleFailed,
                "\(name) is sent no PIN: the tokens of its module have refused too many to remember",
                hint: "give one of them its right PIN, or name fewer tokens in [[token]]")
        case .notSent(.finalTry):
            Problem(
                .pinNeeded, "\(name) has one try left for its PIN, which this agent does not spend",
                hint: "log in once with the vendor's tool, such as 'pkcs11-tool --login --test', to reset the count")
        case .notSent(.countLow):
            Problem(
                .pinNeeded, "\(name) has counted a wrong PIN, so the stored one is not sent",
                hint: "check it, then \(unlock) and type it")
        case .notSent(.toBeChanged):
            Problem(.pinNeeded, "\(name) wants its PIN changed", hint: "change it with the vendor's tool")
        case .notSent(.notInitialized):
            Problem(
                .pinNeeded, "\(name) has no user PIN yet, so there is none to type", hint: Self.initialization)
        case .notSent(.length(let shortest, let longest)):
            Problem(
                .pinIncorrect,
                "the PIN was not sent: \(name) takes \(shortest, .shortest) to \(longest, .longest) characters",
                hint: "check the PIN, then \(unlock)")
        case .notSent(.knownWrong):
            Problem(
                .pinIncorrect, "\(name) has refused this PIN before, so it was not sent again",
                hint: "correct the PIN, then \(unlock)")
        case .notSent(.unreadable(let reason)):
            Problem(
                .configuration, "the stored PIN of \(name) cannot be used: \(reason, .reason)",
                hint: "correct what pin-source names, then run 'tokenward unlock --stored'")
        case .notSent(.reserved):
            Problem(
                .pinIncorrect, "the PIN was not sent to \(name): some modules take this word for a command",
                hint: "give the token's PIN, then \(unlock); or see reserved-pins in the configuration")
        case .notSent(.controlByte):
            Problem(
                .pinIncorrect, "the PIN was not sent to \(name): it has a control character in it",
                hint: "check the PIN, then \(unlock)")
        case .notSent(.notHeld):
            Problem(
                .pinNeeded, "a key on \(name) wants the PIN for each signature, and none is held", hint: unlock)
        case .notSent(.noPinpad):
            Problem(
                .configuration, "\(name) has no PIN pad, but pin-source is \"protected\"",
                hint: "use another pin-source for it")
        case .module(let failure): failure.problem(doing: "logging in to \(name)")
        }
    }

    /// How a token gets its first user PIN (C_InitPIN).
    fileprivate static let initialization =
        "set one with the vendor's tool, or with"
        + " 'pkcs11-tool --module MODULE --token-label LABEL --login --login-type so --init-pin'"

    /// What the next prompt says of the PIN that failed so.
    var nextPrompt: String? {
        switch self {
        case .rejected(let code, let oddities):
            "The token refused the last PIN (\(code))." + (oddities.sentence.map { " It had \($0)." } ?? "")
        case .notSent(.knownWrong): "The last PIN was not sent: the token has refused it before."
        case .notSent(.length(let shortest, let longest)):
            "The last PIN was not sent: the token takes \(shortest) to \(longest) characters."
        case .notSent(.reserved): "The last PIN was not sent: modules take that word for a command."
        case .notSent(.controlByte): "The last PIN was not sent: it had a control character in it."
        default: nil
        }
    }
}

extension FoundToken {
    /// One line where the token wants a login and has no PIN yet.
    package var missingPINNotice: String? {
        guard snapshot.flags.contains(.loginRequired), !snapshot.flags.contains(.userPINInitialized) else { return nil }
        return
            "token \(snapshot.token.displayName) of \(shownModule) has no user PIN yet: \(LoginFailure.initialization)"
    }
}

extension [PINOddity] {
    /// The words after "the PIN has"; nil for none.
    var sentence: String? { isEmpty ? nil : map(\.description).joined(separator: " and ") }
}

extension ModuleFailure {
    /// Why the module shows no tokens, in one line beside its name.
    var reason: String {
        switch self {
        case .unavailable(let reason): reason
        case .readers(let failure): failure.reason
        default: problem(doing: "listing tokens").detail
        }
    }

    func problem(doing action: Problem.Detail) -> Problem {
        switch self {
        case .unavailable(let reason):
            Problem(
                .moduleFailed, "\(action): the module is not available: \(reason, .reason)",
                hint: "see 'tokenward status' and the agent's log")
        case .resting(let reason, let milliseconds):
            Problem(
                .moduleFailed, "\(action): the module rests, because \(reason, .reason)",
                hint: "see the agent's log; it is started again by itself",
                retryAfter: Int(milliseconds / 1000) + 1)
        case .lost(.full):
            Problem(.tokenBusy, "\(action): \(WorkerLoss.full, .reason)", hint: "try again when fewer wait")
        case .lost(let loss):
            if case .deadline = loss.cause {
                Problem(
                    .moduleTimeout, "\(action): \(loss, .reason), and its worker was ended",
                    hint: "check the token or its connection, then try again")
            } else {
                Problem(
                    .moduleFailed, "\(action): the module's worker is gone: \(loss, .reason)",
                    hint: "try again; a new worker is started by itself")
            }
        case .readers(let failure):
            Problem(
                .tokenGone, "\(action): \(failure.reason, .reason)",
                hint: "the agent goes on by itself when pcscd is back")
        case .refused(let failure): failure.problem(doing: action)
        case .crowded(let count):
            Problem(
                .tokenBusy, "\(action): \(count, .count) other tokens of its module are logged in, which is the most",
                hint: "lock one that is not needed: 'tokenward lock URI'")
        }
    }
}

extension WorkerFailure {
    fileprivate func problem(doing action: Problem.Detail) -> Problem {
        switch kind {
        case .tokenGone:
            Problem(.tokenGone, "\(action): the token is gone (\(text, .reason))", hint: "insert it again")
        case .keyNotFound:
            Problem(
                .noIdentity, "\(action): the private key is not on the token",
                hint: "run 'tokenward list' to see what the token has")
        case .notLoggedIn: Problem(.pinNeeded, "\(action): the token is not logged in", hint: "run 'tokenward unlock'")
        case .gesture:
            Problem(
                .tokenBusy, "\(action): nobody confirmed on the token in time (\(text, .reason))",
                hint: "try again, and touch the token when it asks", retry: .person)
        case .mechanism:
            Problem(
                .moduleFailed, "\(action): the token cannot make this signature: \(text, .reason)",
                hint: "the key must allow CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS, CKM_ECDSA or CKM_ECDSA_SHA256; "
                    + "for iot-core also CKM_RSA_PKCS_PSS, where its module lists that")
        case .busy:
            Problem(
                .moduleFailed, "\(action): the token has no session to spare (\(text, .reason))",
                hint: "end another program that uses the token, or wait for it", retryAfter: 5)
        case .forbidden:
            Problem(
                .configuration, "\(action): the token does not allow it (\(text, .reason))",
                hint: "use another key, or have the token's policy changed")
        case .function, .notLoaded, .nonsense, .protocol, .broken:
            Problem(.moduleFailed, "\(action): \(text, .reason)", hint: "see 'tokenward status' and the agent's log")
        }
    }
}
