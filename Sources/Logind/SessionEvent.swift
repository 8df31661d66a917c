/// Events of the machine and of a user's sessions, from logind.
package enum SessionEvent: Hashable, Sendable {
    /// The machine is about to sleep, and waits for `SessionWatch.allowSleep` for as long as logind lets it (5 s).
    case sleeping
    case awake
    /// A session of the user was asked to lock its screen; whether it does, it may tell by `screenLocked` or not at all.
    case screenLockRequested
    /// The screen of one of the user's sessions is locked (LockedHint).
    case screenLocked
    /// None is locked any more.
    case screenUnlocked
    /// The last of the user's sessions has ended.
    case sessionEnded
}

/// The state of the user's sessions at one moment.
struct UserSessions: Hashable, Sendable {
    /// The user's own: neither ending nor opened by the system for itself.
    var open: Set<String> = []
    /// The screen of one is locked.
    var isLocked = false
    /// The object paths of all, on the bus.
    var paths: Set<String> = []

    /// The events since `earlier`.
    func events(since earlier: UserSessions) -> [SessionEvent] {
        var events: [SessionEvent] = []
        if isLocked != earlier.isLocked { events.append(isLocked ? .screenLocked : .screenUnlocked) }
        if open.isEmpty, !earlier.open.isEmpty { events.append(.sessionEnded) }
        return events
    }
}
