import AgentAPI

extension CredentialCache {
    /// Drops the sessions of these profiles (nil: all profiles'), which the source says are locked. A session under way is
    /// not stored, and those who wait for it are told.
    package func lock(_ names: Set<ProfileName>? = nil) {
        let now = settings.clock.now()
        for name in known(names) {
            abandon(name, andHold: false)
            answerWaiters(of: name, .failure(Self.locked(name)), at: now)
        }
    }

    /// A token came, went, got its PIN or was unlocked: attempts that waited for that are allowed again.
    package func stateChanged(_ names: Set<ProfileName>? = nil) {
        for name in known(names) {
            profiles[name]?.forgetCurable()
            publish(name)
        }
        wakeKeeper(by: settings.clock.now().boot)
    }

    /// Drops these profiles' sessions (nil: all profiles'), say because their role was revoked. The next caller gets
    /// a new one; a session under way is not stored, and those who wait for it wait for another.
    package func drop(_ names: Set<ProfileName>? = nil) {
        let now = settings.clock.now()
        for name in known(names) {
            abandon(name, andHold: false)
            beginAgain(name, at: now)
        }
    }

    /// Whether a profile's last attempt failed for something that only a change of the tokens makes good, or another user
    /// was refused for such a thing in the last minute.
    package var waitsForTokens: Bool {
        profiles.values.contains { $0.failure?.cause.retry == .token }
            || refusedGesture.map { settings.clock.now().boot - $0 < 60_000 } ?? false
    }

    /// A reload: `names` are the profiles that there are from now on, `changed` those of them whose sessions are no
    /// longer what is asked for. All others keep theirs, with their pauses and locks; refusals are asked again once.
    ///
    /// The source must know the new configuration already.
    package func replace(_ names: Set<ProfileName>, changed: Set<ProfileName>) {
        guard !isStopped else { return }
        let now = settings.clock.now()
        for name in profiles.keys.filter({ !names.contains($0) }) {
            abandon(name, andHold: false)
            answerWaiters(of: name, .failure(.unknownProfile("\(name)")), at: now)
            profiles[name] = nil
        }
        for name in names where profiles[name] == nil { profiles[name] = ProfileState() }
        stateChanged()
        drop(changed)
    }

    /// Answers all who wait, drops all sessions, and ends `run`. Final.
    package func stop() {
        isStopped = true
        let now = settings.clock.now()
        for name in known(nil) {
            abandon(name, andHold: false)
            answerWaiters(of: name, .failure(Self.shuttingDown), at: now)
        }
        profiles = [:]
        published.removeAll()
        nap?.cancel()
    }

    private func known(_ names: Set<ProfileName>?) -> [ProfileName] {
        profiles.keys.filter { names?.contains($0) ?? true }
    }
}
