import PlainText
import Tokens

extension LockEvent {
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
