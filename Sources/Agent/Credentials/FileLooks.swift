import AgentAPI

/// The looks at profiles' files that are under way, and how long they are waited for: a file system may hang, and costs
/// those who would read that file, not all. Pure.
struct FileLooks {
    /// How long a look is waited for, in milliseconds.
    static let longest: Int64 = 1_000

    /// Until when calls wait for a look, in milliseconds of boot time.
    private var calls: [UInt64: Int64] = [:]
    /// From when on the files of a profile may be looked at for the next callers, in boot time.
    private var next: [ProfileName: Int64] = [:]
    /// The profiles whose last look took so long that nothing waits for another one before it ends.
    private var hanging: Set<ProfileName> = []

    /// When the next call has waited for long enough.
    var nextEnd: Int64? { calls.values.min() }

    func isHanging(_ profile: ProfileName) -> Bool { hanging.contains(profile) }

    /// Nothing waits for the look at this profile's files any longer.
    mutating func giveUp(_ profile: ProfileName) { hanging.insert(profile) }

    /// The call waits for a look.
    mutating func add(_ call: UInt64, at now: Moment) { calls[call] = now.boot + Self.longest }

    /// - Returns: Whether the call has waited for a look.
    @discardableResult mutating func remove(_ call: UInt64) -> Bool { calls.removeValue(forKey: call) != nil }

    /// The calls that have waited for long enough; they wait no longer.
    mutating func takeOverdue(at now: Moment) -> [UInt64] {
        let overdue = calls.filter { $0.value <= now.boot }.map(\.key)
        for call in overdue { calls[call] = nil }
        return overdue.sorted()
    }

    /// Whether to look for the next callers: no more than once a second at each profile, and not while such a look is under
    /// way. Endpoints are asked without pause.
    mutating func begin(_ profile: ProfileName, at now: Moment) -> Bool {
        guard now.boot >= next[profile, default: .min] else { return false }
        next[profile] = .max
        return true
    }

    /// A look at the profile's files has ended.
    mutating func end(_ profile: ProfileName, for purpose: FileLook, at now: Moment) {
        hanging.remove(profile)
        if purpose == .nextCallers { next[profile] = now.boot + 1000 }
    }

    /// Forgets profiles that there are no longer.
    mutating func keep(_ names: Set<ProfileName>) {
        hanging.formIntersection(names)
        next = next.filter { names.contains($0.key) }
    }
}
