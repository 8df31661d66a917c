/// A request that a person waits for, and where that person can be asked for a PIN.
///
/// It travels with the task that carries the request out: background work has none, and so never prompts.
package struct Asking: Hashable, Sendable {
    /// The peer's process. For the words of the prompt and the log; it may be another's by now.
    package let processID: Int32
    package let place: PromptPlace
    /// The person has asked to be asked: a refusal before it does not stand.
    package let isExplicit: Bool

    @TaskLocal package static var current: Asking?

    /// - Parameters:
    ///   - uid: The peer's.
    ///   - processID: The peer's.
    ///   - header: The value of `Tokenward-Person`.
    /// - Returns: Nil where there is neither a terminal nor a display to ask on, or the peer is another user: only the
    ///   agent's own user is asked.
    package init?(uid: UInt32, agentUID: UInt32, processID: Int32, header: [UInt8], isExplicit: Bool) {
        guard uid == agentUID, let place = PromptPlace(header: header) else { return nil }
        self.processID = processID
        self.place = place
        self.isExplicit = isExplicit
    }
}

/// Whether a person may be made to act for the request under way: to touch the token, or to type on its keypad.
///
/// It travels with the task that carries the request out.
package enum Gestures {
    @TaskLocal package static var areAllowed = true
}

/// The purpose of a login, as the prompt tells it.
package struct LoginPurpose: Sendable {
    package let asking: Asking
    /// The profile and its role, where a session is wanted.
    package var session: (profile: String, role: String?)?

    package init?(_ asking: Asking?, session: (profile: String, role: String?)? = nil) {
        guard let asking else { return nil }
        self.asking = asking
        self.session = session
    }
}
