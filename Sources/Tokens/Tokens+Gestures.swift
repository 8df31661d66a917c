import PKCS11URI
import TokenService

/// What a token waits for a person with: who is told, and what is not asked meanwhile.
extension Tokens {
    /// How long a signature takes before people are told that the token may wait for a touch, in milliseconds.
    private static let slow = TokenCalls.long

    /// Tells people of the signature if it takes long. One task looks after all of them: a timer for each costs as much as
    /// a signature.
    func watch(_ call: UInt64, of token: FoundToken, for place: AwaitedGestures.Place) {
        untold[call] = Untold(due: clock.boot() + Self.slow, token: token, place: place)
        guard !isTelling else { return }
        isTelling = true
        Task {
            while let due = untold.values.lazy.map(\.due).min() {
                try? await clock.sleep(max(1, due - clock.boot()))
                for (call, slow) in untold where slow.due <= clock.boot() { tell(call, slow) }
            }
            isTelling = false
        }
    }

    /// Ends what `watch` began.
    func endWatch(of call: UInt64) {
        untold[call] = nil
        shown.removeValue(forKey: call)?.cancel()
    }

    private func tell(_ call: UInt64, _ slow: Untold) {
        untold[call] = nil
        awaited.note(call, slow.token.key, slow.place)
        let isTouch = slow.place == .touch
        log.notice(
            isTouch ? "a signature takes long: if the token blinks, touch it" : "the reader's keypad waits",
            metadata: ["token": "\(slow.token.snapshot.token.plainName)"])
        guard slow.token.rule?.touch == true else { return }
        shown[call] = Task { await showOnDesktop(slow.token) }  // until it is cancelled
    }

    /// Returns when the token has ended what a person was asked for: its worker would answer nothing before.
    func waitForGestures(on token: FoundToken) async {
        while awaited.contains(token.key) {
            await withCheckedContinuation { awaited.wait($0) }
        }
    }

    /// What a module's tokens are, by the last look where its only token is occupied now. Where there are several, each
    /// has a worker, and the host sees to it that none waits for another's.
    nonisolated func lookOrRemember(_ host: ModuleHost, _ look: UInt64) async -> ModuleSighting {
        if let snapshots = await lastLook(at: host) { return ModuleSighting(tokens: snapshots) }
        var sight = await host.tokens()
        if sight.failure == nil { await remember(sight.tokens, of: host, look) }
        sight.tokens = await withAwaitedLogins(sight.tokens, of: host)
        return sight
    }

    private func lastLook(at host: ModuleHost) -> [TokenSnapshot]? {
        let snapshots = sightings.snapshots(of: host.identity)
        guard awaited.occupies(module: host.identity), snapshots.count == 1 else { return nil }
        return withAwaitedLogins(snapshots, of: host)
    }

    /// What is awaited of a token comes after its login, which the look may not have seen.
    private func withAwaitedLogins(_ snapshots: [TokenSnapshot], of host: ModuleHost) -> [TokenSnapshot] {
        snapshots.map { snapshot in
            var snapshot = snapshot
            if awaited.contains(TokenKey(module: host.identity, token: snapshot.token)) { snapshot.isLoggedIn = true }
            return snapshot
        }
    }

    private func remember(_ snapshots: [TokenSnapshot], of host: ModuleHost, _ look: UInt64) {
        guard hosts.contains(where: { $0 === host }) else { return }  // a reload has ended it
        sightings.remember(snapshots, of: host.identity, look: look)
    }

    /// Tells a person on the desktop that a token waits for a touch, until the task is cancelled.
    func showOnDesktop(_ token: FoundToken) async {
        guard await prompts.settings.notify, !Task.isCancelled else { return }
        // The title, because desktops take the body for a kind of HTML, and a token's label may be anything.
        await desktop.show("Touch token \(token.snapshot.token.displayName)", "It has something to sign for Tokenward.")
    }
}

/// A signature under way that people have not been told of.
struct Untold: Sendable {
    /// When they are, in milliseconds of boot time.
    var due: Int64
    var token: FoundToken
    var place: AwaitedGestures.Place
}
