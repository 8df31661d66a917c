import Clocks
import Tokens

/// Looks at the tokens while some profile waits for one to come or to show something else, and at whether those are
/// still there that somebody is logged in to or has a session from.
///
/// Every two seconds then, and not at all otherwise: a look costs a slow token some work. Cards have events, and are not
/// looked for. What a look finds changed, the tokens tell by themselves.
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
