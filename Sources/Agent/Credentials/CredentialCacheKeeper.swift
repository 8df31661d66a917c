import AgentAPI

extension CredentialCache {
    /// An attempt that takes longer is given up: no source takes ten minutes, but a hung one must not hold a profile
    /// for ever.
    private static let longestFlight: Int64 = 600_000

    /// Refreshes in the background, keeps deadlines, and drops what has lapsed, until `stop` or cancellation.
    package func run() async {
        await withTaskCancellationHandler {
            while !isStopped, !Task.isCancelled {
                for name in profiles.keys { await forgetOutlivedRefusal(of: name) }
                guard !isStopped, !Task.isCancelled else { break }  // it had no nap to be woken from
                let pause = look()
                alarm = settings.clock.boot() + pause
                // Awaited below. Cancelled to look sooner, so the error is no news.
                let nap = Task { [clock = settings.clock] in _ = try? await clock.sleep(pause) }
                self.nap = nap
                await nap.value
            }
        } onCancel: {
            Task { await stop() }  // not awaited: it is one step long
        }
        stop()
    }

    /// Makes the keeper look no later than at this boot time.
    func wakeKeeper(by boot: Int64) {
        if boot < alarm { nap?.cancel() }
    }

    /// Does what is due, and returns the milliseconds to the next look: never more than a minute, because both clocks
    /// can leap while timers sleep, and uses by `published` make no noise.
    private func look() -> Int64 {
        let now = settings.clock.now()
        return profiles.keys.map { look(at: $0, now) }.reduce(60_000, min)
    }

    private func look(at name: ProfileName, _ now: Moment) -> Int64 {
        if let flight = profiles[name]?.flight, now.boot - flight.began >= Self.longestFlight {
            abandon(name, andHold: true)
            fail(name, Self.givenUp(name), of: flight, at: now)
        }
        if let session = profiles[name]?.session, !session.validity.canBeHandedOut(at: now) {
            profiles[name]?.session = nil
            publish(name)
        }
        answerOverdue(of: name, at: now)
        let isRefreshed =
            published.isUsed(name) && source.needsPerson(for: name) == false && !source.isLocked(name)
        if isRefreshed, profiles[name]?.untilAttempt(at: now) == 0 {
            begin(name, on: .background, at: now, asking: nil)
        }
        guard let state = profiles[name] else { return 60_000 }
        return pauses(of: state, isRefreshed: isRefreshed, now).reduce(60_000, min)
    }

    /// Milliseconds from now to all that this profile has ahead; each is positive after a look.
    private func pauses(of state: ProfileState, isRefreshed: Bool, _ now: Moment) -> [Int64] {
        var pauses: [Int64] = []
        if let answer = state.waiters.nextAnswer { pauses.append(answer - now.boot) }
        if let flight = state.flight { pauses.append(flight.began + Self.longestFlight - now.boot) }
        if let session = state.session {
            pauses.append(session.validity.remaining(at: now) - SessionValidity.leastHandedOut + 1)
        }
        if isRefreshed, let attempt = state.untilAttempt(at: now) { pauses.append(attempt) }
        return pauses
    }

    /// Abandons the flight: its result will be discarded. Drops the session too, unless it is to be held.
    func abandon(_ name: ProfileName, andHold keepsSession: Bool) {
        if let flight = profiles[name]?.flight {
            flight.task.cancel()
            profiles[name]?.flight = nil
        }
        guard !keepsSession else { return }
        profiles[name]?.session = nil
        publish(name)
    }
}
