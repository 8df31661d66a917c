/// What makes the agent forget PINs and credentials by itself: the elements of `lock-on`.
package enum LockEvent: String, CaseIterable, Sendable {
    /// The machine goes to sleep. Nothing is obtained until it is awake.
    case suspend
    /// One of the user's sessions locks its screen. Nothing is obtained until none is locked.
    case screenLock = "screen-lock"
    /// The last of the user's sessions ends.
    case sessionEnd = "session-end"
    /// A token is taken out: what came from it goes with it.
    case removal
}
