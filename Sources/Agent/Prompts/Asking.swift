/// A request that a person waits for, and where that person can be asked for a PIN.
///
/// It travels with the task that carries the request out: background work has none, and so never prompts.
package struct Asking: Hashable, Sendable {
    /// The peer's process. For the words of the prompt and the log; it may be another's by now.
    let processID: Int32
    let place: PromptPlace
    /// The person has asked to be asked: a refusal before it does not stand.
    let isExplicit: Bool

    @TaskLocal static var current: Asking?

    /// - Parameter header: The value of `Tokenward-Person`.
    /// - Returns: Nil where nobody can be asked, or the peer is not the agent's own user: only that one's terminal and
    ///   display are ever used.
    init?(peer: Peer, agentUID: UInt32, header: [UInt8], isExplicit: Bool) {
        guard peer.uid == agentUID, let place = PromptPlace(header: header) else { return nil }
        processID = peer.pid
        self.place = place
        self.isExplicit = isExplicit
    }
}

/// Whether a person may be made to act for the request under way: to touch the token, or to type on its keypad.
///
/// It travels with the task that carries the request out.
enum Gestures {
    @TaskLocal static var areAllowed = true
}

/// What a login is for, in the words of the prompt.
package struct LoginPurpose: Sendable {
    let asking: Asking
    /// The profile and its role, where a session is what is wanted.
    var session: (profile: String, role: String)?

    init?(_ asking: Asking?, session: (profile: String, role: String)? = nil) {
        guard let asking else { return nil }
        self.asking = asking
        self.session = session
    }
}
