/// How long no worker is started after one has died.
///
/// The first death costs no pause, so that the next request finds a worker; one that dies each time is left alone for
/// longer and longer, and ten deaths within five minutes open the circuit for five. An answer closes the account.
struct WorkerRest: Sendable {
    /// Deaths since the last answer, in milliseconds of boot time.
    private var deaths: [Int64] = []
    private var until: Int64 = .min
    private var lastCause = ""

    private static let window: Int64 = 300_000
    private static let limit = 10

    init() {}

    mutating func noteDeath(at now: Int64, because cause: String) {
        lastCause = cause
        deaths.removeAll { $0 <= now - Self.window }
        deaths.append(now)
        switch deaths.count {
        case 1: break
        case Self.limit...:
            until = now + Self.window
            deaths = Array(deaths.suffix(Self.limit))
        case let count: until = now + min(30_000, 100 << (count - 2))
        }
    }

    mutating func noteAnswer() { deaths = [] }

    /// Why no worker is started now; nil: one may be.
    func refusal(at now: Int64) -> ModuleFailure? {
        guard now < until else { return nil }
        return .resting(
            "its worker has died \(deaths.count) times in a row, the last time: \(lastCause)", milliseconds: until - now
        )
    }
}
