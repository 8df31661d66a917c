import PKCS11URI
import Synchronization
import TokenService

/// The PINs that a person has typed and a token has taken, for keys that want them again at each signature
/// (CKA_ALWAYS_AUTHENTICATE); and those that such a key has refused.
///
/// Nothing else is kept: a PIN that no C_Login has judged, or whose token has no such key, ends with its request.
final class HeldPINs: Sendable {
    private struct State {
        var held: [TokenDescription: HeldPIN] = [:]
        var refused: [TokenDescription: [FailedPIN]] = [:]
        var inDoubt: [TokenDescription: LoginOutcome] = [:]
    }

    private let state = Mutex(State())

    /// The PIN for a token. Let it go before the token signs: a touch takes long, and a lock is to wipe it at once.
    func pin(for token: TokenDescription) -> HeldPIN? { state.withLock { $0.held[token] } }

    func hold(_ pin: HeldPIN, for token: TokenDescription) { state.withLock { $0.held[token] = pin } }

    /// Lets go of one token's PIN, or of all.
    func wipe(_ token: TokenDescription?) {
        state.withLock { state in
            if let token { state.held[token] = nil } else { state.held = [:] }
        }
    }

    /// Lets go of the PINs of tokens that are not there any more.
    func keep(only present: Set<TokenDescription>) {
        state.withLock { state in state.held = state.held.filter { present.contains($0.key) } }
    }

    /// What signatures have found out and the agent may not know yet, with several requests on their way.
    func refused(by token: TokenDescription) -> [FailedPIN] { state.withLock { $0.refused[token] ?? [] } }

    func refuse(_ failed: FailedPIN?, by token: TokenDescription) {
        state.withLock { state in
            state.held[token] = nil
            if let failed { state.refused[token, default: []].append(failed) }
        }
    }

    /// What a token has answered to a stored PIN without judging it: others on their way do not send it once more.
    func doubt(about token: TokenDescription) -> LoginOutcome? { state.withLock { $0.inDoubt[token] } }

    func noteDoubt(about token: TokenDescription, _ outcome: LoginOutcome) {
        state.withLock { $0.inDoubt[token] = outcome }
    }

    func endDoubt(about token: TokenDescription) { state.withLock { $0.inDoubt[token] = nil } }

    /// The token has taken a stored PIN.
    func forgetRefused(by token: TokenDescription) { state.withLock { $0.refused[token] = nil } }
}
