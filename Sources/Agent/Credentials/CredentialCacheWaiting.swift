import AgentAPI
import Prompts

/// How callers wait for a flight, and what they get.
extension CredentialCache {
    func wait(for profile: ProfileName, wantsNew: Bool) async throws(Problem) -> CachedCredentials {
        let id = nextID()
        let result: Result<CachedCredentials, Problem> = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<_, Never>) in
                guard profiles[profile]?.flight != nil else {
                    return continuation.resume(returning: .failure(Self.stillWorking(profile)))
                }
                let now = settings.clock.now()
                let hasFallback = !wantsNew && profiles[profile]?.fallback(at: now) != nil
                let giveUpAt = Self.wholeSecond(now.boot + settings.answerWithin)
                let answerAt = hasFallback ? Self.wholeSecond(now.boot + settings.patience) : giveUpAt
                profiles[profile]?.waiters.add(
                    id,
                    .init(
                        wantsNew: wantsNew, giveUpAt: giveUpAt, answerAt: answerAt, asking: Asking.current,
                        mayGesture: Gestures.areAllowed, continuation: continuation))
                wakeKeeper(by: answerAt)
            }
        } onCancel: {
            Task { await leave(profile, id) }  // not awaited: it is one step long
        }
        return try result.get()
    }

    /// Rounded down, so that thousands who wait have few deadlines.
    private static func wholeSecond(_ milliseconds: Int64) -> Int64 { milliseconds / 1000 * 1000 }

    private func leave(_ profile: ProfileName, _ id: UInt64) {
        profiles[profile]?.waiters.remove(id, Problem(.requestTimeout, "the caller has hung up"))
    }

    func answerWaiters(of profile: ProfileName, _ outcome: Result<CachedCredentials, Problem>, at now: Moment) {
        guard let state = profiles[profile], !state.waiters.isEmpty else { return }
        profiles[profile]?.waiters.answerAll(outcome, fallback: state.fallback(at: now))
        published.markUsed(profile)
    }

    /// Answers those whose patience is at its end; the flight goes on.
    func answerOverdue(of profile: ProfileName, at now: Moment) {
        let fallback = profiles[profile]?.fallback(at: now)
        guard
            profiles[profile]?.waiters.answerOverdue(at: now, fallback: fallback, Self.stillWorking(profile)) == true
        else { return }
        profiles[profile]?.markSlow()
        publish(profile)
        published.markUsed(profile)
    }
}
