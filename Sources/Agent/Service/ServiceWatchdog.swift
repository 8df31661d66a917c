import Clocks

/// Tells a service manager that asks for it that the agent works, for as long as it does: one that hangs is ended by the
/// manager and started anew (`WatchdogSec=` in systemd.service(5)).
struct ServiceWatchdog: Sendable {
    let notifier: ServiceNotifier
    let clock: AgentClock
    /// Returns when all that a request needs has answered.
    let answers: @Sendable () async -> Void

    /// Runs until its task is cancelled; returns at once where the manager does not ask.
    func run() async {
        guard let period = notifier.watchdogMilliseconds else { return }
        repeat {
            await answers()
            guard !Task.isCancelled else { return }
            notifier.notify(.alive)
        } while (try? await clock.sleep(period)) != nil  // it throws when the task is cancelled
    }
}

extension AgentService {
    /// Returns when each actor that a request passes, the main actor, which has the signals, and the server's event loop
    /// have had a turn. One that hangs keeps it waiting.
    nonisolated func answers() async {
        await Self.takeTurn(on: MainActor.shared)
        await Self.takeTurn(on: tokens)
        await Self.takeTurn(on: cache)
        await takeTurnOfServer()
    }

    private func takeTurnOfServer() async { await server?.takeTurn() }

    /// The check is what keeps the turn from being left out as one in which nothing happens.
    private static func takeTurn(on actor: isolated any Actor) { actor.preconditionIsolated() }
}
