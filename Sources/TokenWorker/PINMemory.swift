import PKCS11URI
import TokenService

/// What one worker knows of its tokens' PINs: those that a person has typed and a token has taken, for keys that want them
/// again at each signature (CKA_ALWAYS_AUTHENTICATE), and what such keys have made of theirs.
///
/// Nothing else is kept: a PIN that no C_Login has judged, or whose token has no such key, ends with its request.
struct PINMemory {
    private var held: [TokenDescription: HeldPIN] = [:]
    private var refused: [TokenDescription: [FailedPIN]] = [:]
    private var inDoubt: [TokenDescription: LoginOutcome] = [:]

    /// The PIN for a token. Let it go before the token signs: a touch takes long, and a lock is to wipe it at once.
    func pin(for token: TokenDescription) -> HeldPIN? { held[token] }

    /// What signatures have found out and the agent may not know yet, with several requests on their way.
    func refused(by token: TokenDescription) -> [FailedPIN] { refused[token] ?? [] }

    /// What a token has answered to a stored PIN without judging it: others on their way do not send it once more.
    func doubt(about token: TokenDescription) -> LoginOutcome? { inDoubt[token] }

    /// Lets go of one token's PIN, or of all.
    mutating func wipe(_ token: TokenDescription?) {
        if let token { held[token] = nil } else { held = [:] }
    }

    /// Lets go of the PINs of tokens that are not there any more.
    mutating func keep(only present: Set<TokenDescription>) { held = held.filter { present.contains($0.key) } }

    /// Takes in how the login to a token ended.
    ///
    /// - Parameter pin: The PIN, where a person has typed it and one of the token's keys may want it again.
    mutating func noteLogin(_ outcome: LoginOutcome, to request: LoginRequest, wasSent: Bool, pin: HeldPIN?) {
        let token = request.token.token
        switch outcome {
        case .loggedIn where request.source != .protected:
            inDoubt[token] = nil
            if request.source.isStored { refused[token] = nil }
            if let pin { held[token] = pin }
        // Only a person asks for a login that the token does not want.
        case .notNeeded where !wasSent: inDoubt[token] = nil
        case .loggedIn, .notNeeded, .refused, .rejected: break
        }
    }

    /// Takes in what a token has made of the PIN for one operation.
    mutating func noteOperation(_ outcome: LoginOutcome, _ request: LoginRequest) {
        let token = request.token.token
        switch outcome {
        case .loggedIn where request.source.isStored: refused[token] = nil
        case .refused(.knownWrong): held[token] = nil
        case .rejected(_, _, let failed, _):
            held[token] = nil
            if let failed { refused[token, default: []].append(failed) }
            if failed == nil, request.source.isStored { inDoubt[token] = outcome }
        case .loggedIn, .notNeeded, .refused: break
        }
    }
}
