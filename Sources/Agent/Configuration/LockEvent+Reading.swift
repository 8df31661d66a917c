import PlainText
import Tokens

extension LockEvent {
    /// The default.
    ///
    /// A user's agent goes by what the user does; but screens lock themselves every few minutes, and to ask for the PIN
    /// each time teaches people to type it anywhere. The system's serves programs with no person present, and a missing
    /// HSM is an outage, to be bridged by sessions that are still valid.
    static func usual(for scope: AgentScope) -> Set<LockEvent> {
        switch scope {
        case .user: [.suspend, .sessionEnd, .removal]
        case .system: []
        }
    }

    /// Whether logind tells of it.
    var isLogind: Bool { self != .removal }

    /// Reads an element of `lock-on`.
    static func read(_ node: TOMLNode) throws(ValueFault) -> LockEvent {
        let text = try node.text()
        guard let event = LockEvent(rawValue: text) else {
            let known = allCases.map(\.rawValue).joined(separator: ", ")
            throw ValueFault(" has \(text.quoted); it takes \(known)")
        }
        return event
    }
}
