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

    /// What holds where the configuration says nothing.
    ///
    /// A user's agent goes by what the user does; but screens lock themselves every few minutes, and to ask for the PIN
    /// each time teaches people to type it anywhere. The system's serves when nobody is there, and what its HSM is gone
    /// for is an outage to be bridged by what is still valid.
    static func usual(for scope: AgentScope) -> Set<LockEvent> {
        switch scope {
        case .user: [.suspend, .sessionEnd, .removal]
        case .system: []
        }
    }

    /// Whether logind tells of it.
    var isLogind: Bool { self != .removal }
}

extension LockEvent {
    /// Reads an element of `lock-on`.
    static func read(_ node: TOMLNode) throws(Complaint) -> LockEvent {
        let text = try node.text()
        guard let event = LockEvent(rawValue: text) else {
            let known = allCases.map(\.rawValue).joined(separator: ", ")
            throw Complaint(" has \(text.quoted); it takes \(known)")
        }
        return event
    }
}
