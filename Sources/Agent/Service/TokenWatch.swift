/// Looks at the tokens while some profile waits for one to come, or to show something else.
///
/// Every two seconds then, and not at all otherwise: a look costs a slow card some work. What a look finds changed, the
/// tokens tell by themselves.
struct TokenWatch: Sendable {
    let tokens: Tokens
    let cache: CredentialCache
    let clock: AgentClock

    private static let pause: Int64 = 2000

    /// Runs until its task is cancelled.
    func run() async {
        while (try? await clock.sleep(Self.pause)) != nil {  // an error means cancelled
            if await cache.waitsForTokens { _ = await tokens.survey() }
        }
    }
}
