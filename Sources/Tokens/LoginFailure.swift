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
    /// The reader's keypad takes the PIN, and is switched on for who asks by name.
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
    /// A PIN was sent, and what the token made of it is not known.
    case unanswered
    case blocked
    case module(ModuleFailure)
}

extension LoginFailure {
    /// The problem that a client is told.
    func problem(for token: TokenDescription) -> Problem {
        let name: Problem.Detail = "token \(token.displayName, .token)"
        let unlock = "run 'tokenward unlock'"
        switch self {
        case .locked: return Problem(.locked, "\(name) is locked", hint: unlock)
        case .needed: return Problem(.pinNeeded, "\(name) needs its PIN", hint: unlock)
        case .declined(let decline):
            return Problem(
                .pinNeeded, "\(name) needs its PIN, which was asked for, and \(decline, .reason)",
                hint: "\(unlock), or 'tokenward refresh PROFILE' to be asked again")
        case .unaskable(let reason):
            return Problem(
                .pinNeeded, "\(name) needs its PIN, and could not ask: \(reason, .reason)", hint: unlock,
                retryAfter: 60,
                retry: .person)
        case .keypad:
            return Problem(
                .pinNeeded, "\(name) wants its PIN on the reader's keypad",
                hint: "\(unlock), or 'tokenward refresh PROFILE' where its key wants the PIN each time")
        case .ambiguous(let all):
            let uris = all.map { "'\($0)'" }.joined(separator: " or ")
            return Problem(
                .pinNeeded, "\(all.count, .count) modules show \(name), so its PIN is sent to none of them",
                hint: "name the module, to 'tokenward unlock' or in the uri of its [[token]]: \(uris)")
        case .blocked: return .pinBlocked(name)
        case .rejected(let code, let oddities):
            let check = oddities.sentence.map { "the PIN has \($0): check it" } ?? "check the PIN"
            return Problem(
                .pinIncorrect, "\(name) refused its PIN (\(code, .returnValue)), which is not tried again",
                hint: "\(check), then \(unlock)")
        case .unanswered:
            return Problem(
                .pinIncorrect, "\(name) was sent a PIN and did not answer, so none is sent again by itself",
                hint: "check the PIN and the tries that are left, then \(unlock)")
        case .notFromLogin:
            return Problem(
                .pinNeeded, "\(name) has refused a PIN or not answered to it, so one of a login is not sent",
                hint: "\(unlock) and type the PIN")
        case .triesUnkept:
            return Problem(
                .moduleFailed,
                "\(name) is sent no PIN: the tokens of its module have refused too many to remember",
                hint: "give one of them its right PIN, or name fewer tokens in [[token]]")
        case .notSent(let refusal): return refusal.problem(for: name)
        case .module(let failure): return failure.problem(doing: "logging in to \(name)")
        }
    }
}

extension LoginRefusal {
    /// How a token gets its first user PIN (C_InitPIN).
    fileprivate static let initialization =
        "set one with the vendor's tool, or with"
        + " 'pkcs11-tool --module MODULE --token-label LABEL --login --login-type so --init-pin'"

    fileprivate func problem(for name: Problem.Detail) -> Problem {
        switch self {
        case .locked: .pinBlocked(name)
        case .finalTry:
            Problem(
                .pinNeeded, "\(name) has one try left for its PIN, which this agent does not spend",
                hint: "log in once with the vendor's tool, such as 'pkcs11-tool --login --test', to reset the count")
        case .countLow:
            Problem(
                .pinNeeded, "\(name) has counted a wrong PIN, so the stored one is not sent",
                hint: "check it, then run 'tokenward unlock' and type it")
        case .toBeChanged:
            Problem(
                .pinNeeded, "\(name) wants its PIN changed", hint: "change it with the vendor's tool")
        case .notInitialized:
            Problem(
                .pinNeeded, "\(name) has no user PIN yet, so there is none to type",
                hint: Self.initialization)
        case .length(let shortest, let longest):
            Problem(
                .pinIncorrect,
                "the PIN was not sent: \(name) takes \(shortest, .shortest) to \(longest, .longest) characters",
                hint: "check the PIN, then run 'tokenward unlock'")
        case .knownWrong:
            Problem(
                .pinIncorrect, "\(name) has refused this PIN before, so it was not sent again",
                hint: "correct the PIN, then run 'tokenward unlock'")
        case .unreadable(let reason):
            Problem(
                .configuration, "the stored PIN of \(name) cannot be used: \(reason, .reason)",
                hint: "correct what pin-source names, then run 'tokenward unlock --stored'")
        case .reserved:
            Problem(
                .pinIncorrect, "the PIN was not sent to \(name): some modules take this word for a command",
                hint: "give the token's PIN, then run 'tokenward unlock'; or see reserved-pins in the configuration")
        case .controlByte:
            Problem(
                .pinIncorrect, "the PIN was not sent to \(name): it has a control character in it",
                hint: "check the PIN, then run 'tokenward unlock'")
        case .notHeld:
            Problem(
                .pinNeeded, "a key on \(name) wants the PIN for each signature, and none is held",
                hint: "run 'tokenward unlock'")
        case .noPinpad:
            Problem(
                .configuration, "\(name) has no PIN pad, but pin-source is \"protected\"",
                hint: "use another pin-source for it")
        }
    }
}

extension FoundToken {
    /// One line where the token wants a login that nobody can make yet.
    package var missingPINNotice: String? {
        guard snapshot.flags.contains(.loginRequired), !snapshot.flags.contains(.userPINInitialized) else { return nil }
        return
            "token \(snapshot.token.displayName) of \(shownModule) has no user PIN yet: \(LoginRefusal.initialization)"
    }
}

extension [PINOddity] {
    /// What follows "the PIN has"; nil for nothing.
    var sentence: String? { isEmpty ? nil : map(\.description).joined(separator: " and ") }
}

extension Problem {
    fileprivate static func pinBlocked(_ name: Problem.Detail) -> Problem {
        Problem(
            .pinBlocked, "the PIN of \(name) is blocked",
            hint: "unblock it with the vendor's tool and the PUK or the security officer's PIN")
    }
}

extension ModuleFailure {
    /// Why the module shows no tokens, in one line beside its name.
    var reason: String {
        switch self {
        case .unavailable(let reason): reason
        case .readers(let trouble): trouble.reason
        default: problem(doing: "listing tokens").detail
        }
    }

    func problem(doing what: Problem.Detail) -> Problem {
        switch self {
        case .unavailable(let reason):
            Problem(
                .moduleFailed, "\(what): the module is not available: \(reason, .reason)",
                hint: "see 'tokenward status' and the agent's log")
        case .resting(let reason, let milliseconds):
            Problem(
                .moduleFailed, "\(what): the module rests, because \(reason, .reason)",
                hint: "see the agent's log; it is started again by itself",
                retryAfter: Int(milliseconds / 1000) + 1)
        case .lost(let loss):
            if case .deadline = loss.cause {
                Problem(
                    .moduleTimeout, "\(what): \(loss, .reason), and its worker was ended",
                    hint: "check the token or its connection, then try again")
            } else {
                Problem(
                    .moduleFailed, "\(what): the module's worker is gone: \(loss, .reason)",
                    hint: "try again; a new worker is started by itself")
            }
        case .readers(let trouble):
            Problem(
                .tokenGone, "\(what): \(trouble.reason, .reason)",
                hint: "the agent goes on by itself when pcscd is back")
        case .refused(let failure): failure.problem(doing: what)
        case .crowded(let count):
            Problem(
                .tokenBusy, "\(what): \(count, .count) other tokens of its module are logged in, which is the most",
                hint: "lock one that is not needed: 'tokenward lock URI'")
        }
    }
}

extension WorkerFailure {
    fileprivate func problem(doing what: Problem.Detail) -> Problem {
        switch kind {
        case .tokenGone:
            Problem(.tokenGone, "\(what): the token is gone (\(text, .reason))", hint: "insert it again")
        case .keyNotFound:
            Problem(
                .noIdentity, "\(what): the private key is not on the token",
                hint: "run 'tokenward list' to see what the token has")
        case .notLoggedIn: Problem(.pinNeeded, "\(what): the token is not logged in", hint: "run 'tokenward unlock'")
        case .gesture:
            Problem(
                .tokenBusy, "\(what): nobody confirmed on the token in time (\(text, .reason))",
                hint: "try again, and touch the token when it asks", retry: .person)
        case .mechanism:
            Problem(
                .moduleFailed, "\(what): the token cannot make this signature: \(text, .reason)",
                hint: "the key must allow CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS, CKM_ECDSA or CKM_ECDSA_SHA256")
        case .busy:
            Problem(
                .moduleFailed, "\(what): the token has no session to spare (\(text, .reason))",
                hint: "end another program that uses the token, or wait for it", retryAfter: 5)
        case .forbidden:
            Problem(
                .configuration, "\(what): the token does not allow it (\(text, .reason))",
                hint: "use another key, or have the token's policy changed")
        case .function, .notLoaded, .nonsense, .protocol, .broken:
            Problem(.moduleFailed, "\(what): \(text, .reason)", hint: "see 'tokenward status' and the agent's log")
        }
    }
}
