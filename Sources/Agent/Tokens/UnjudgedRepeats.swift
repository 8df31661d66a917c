/// How often a stored PIN that the token had taken before was sent again and not judged. A login that a crash cuts short
/// costs no try if the PIN is still right, and nobody knows whether it is: it may have been changed on the card.
struct UnjudgedRepeats: Hashable, Sendable {
    private static let hour: Int64 = 3_600_000
    private static let mostInAnHour = 3
    /// In milliseconds of boot time.
    private var times: [Int64] = []
    private var killsInARow = 0

    /// What is known of the PIN now.
    enum Consequence: Hashable, Sendable {
        /// As much as before: one kill from outside says nothing of the module.
        case known
        /// It is sent once more, and not again without an answer.
        case doubted
        /// A person must look.
        case unanswered
    }

    /// - Parameter isKilled: Somebody else has killed the worker, such as a kernel that is short of memory.
    mutating func note(isKilled: Bool, at now: Int64) -> Consequence {
        if isKilled {
            killsInARow += 1
            return killsInARow == 1 ? .known : .doubted
        }
        times = times.filter { now - $0 < Self.hour } + [now]
        return times.count > Self.mostInAnHour ? .unanswered : .doubted
    }

    /// The token has taken the PIN.
    mutating func noteTaken() { killsInARow = 0 }
}
