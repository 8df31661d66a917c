import Clocks
import Tokens

/// Looks at the tokens while a profile waits for one to come or to change, or while a token with a login or a session
/// may be removed.
///
/// Every two seconds then, and not at all otherwise: a look costs a slow token some work. Cards have events, and are
/// not looked for. `Tokens` reports the changes that a look finds.
struct TokenWatch: Sendable {
    let tokens: Tokens
    let source: RolesAnywhereSource
    let cache: CredentialCache
    let clock: AgentClock

    private static let pause: Int64 = 2000

    /// Runs until its task is cancelled.
    func run() async {
        while (try? await clock.sleep(Self.pause)) != nil {  // an error means cancelled
            await tokens.poll(isWaitedFor: await cache.waitsForTokens, used: source.tokens(of: cache.published))
        }
    }
}
