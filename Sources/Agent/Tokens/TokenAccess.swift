import TokenService

/// What the agent remembers of a token's PIN.
struct TokenAccess: Sendable {
    /// A refusal that stands until a person says otherwise.
    var refusal: Refusal?
    /// PINs that the token has refused: never sent again.
    var refused: [FailedPIN] = []
    /// A PIN that may be wrong was sent, and what the token made of it is not known: it may have cost a try. Until a
    /// person unlocks the token nothing else is sent to it.
    var owesAnswer = false
    /// Calls under way that may send a PIN that may be wrong.
    var unansweredCalls = 0
    /// The token has shown once, by its flags, that it had counted a wrong PIN.
    var showsCount = false
    /// The stored PIN that the token has taken in this agent's life: a login that a crash cuts short costs it no try.
    var takenPIN: StoredPINStamp?
    /// What has become of it since.
    var unjudgedRepeats = UnjudgedRepeats()
    /// What became of the last PIN that was asked for: the next prompt says it.
    var lastPrompt: String?
    /// When the login of a PIN that was typed ends, in milliseconds of boot time.
    var typedUntil: Int64?
    /// Whether a typed PIN is good for one signature.
    var isForOneSignature = false
    /// That signature has begun; stands until the next login.
    var isSpent = false
    /// The login under way, for whoever else needs it.
    var login: Login?
    /// Unlocks with a PIN that a person has typed and that waits for the login under way: nobody is asked for another.
    var waitingPINs = 0

    /// Whether a token whose module is configured no longer leaves nothing behind: no login under way, and nothing that keeps
    /// a PIN from being sent again.
    var isForgotten: Bool { refused.isEmpty && !isDoubtful && login == nil && waitingPINs == 0 }

    /// A PIN may have cost a try, and no answer to it is known.
    var isDoubtful: Bool { owesAnswer || unansweredCalls > 0 }

    struct Login: Sendable {
        let id: UInt64
        let task: Task<Result<Void, PINTrouble>, Never>
    }

    enum Refusal: Hashable, Sendable {
        /// The token refused the PIN.
        case rejected(name: String, oddities: [PINOddity])
        /// CKR_PIN_LOCKED, or the token's flags say so.
        case blocked
        /// A person was asked, and did not give it.
        case declined(PromptAnswer.Decline)
        /// A person gave one that was not sent.
        case notSent(LoginRefusal)

        /// The token itself has judged a PIN.
        var isOfToken: Bool {
            switch self {
            case .rejected, .blocked: true
            case .declined, .notSent: false
            }
        }
    }
}
