import AgentAPI

/// The last refusal of each profile to each program, in memory: many SDKs keep the client's line to themselves.
struct RefusalLog: Sendable {
    struct Refusal: Hashable, Sendable {
        /// As /proc calls it, for people's eyes; nil where it cannot be told.
        var program: String?
        var uid: UInt32
        /// Seconds since 1970.
        var time: Int64
        var code: Problem.Code
        /// The refusal's message, in one line.
        var detail: String
    }

    static let mostPrograms = 8
    static let longestDetail = 512
    private static let namesPerSecond = 10

    /// Of every profile that there is, the newest first.
    private var refusals: [ProfileName: [Refusal]]
    private var names = (second: Int64.min, count: 0)

    init(profiles: Set<ProfileName>) {
        refusals = Dictionary(uniqueKeysWithValues: profiles.map { ($0, []) })
    }

    /// The newest first.
    func refusals(of profile: ProfileName) -> [Refusal] { refusals[profile] ?? [] }

    /// Whether a program's name may be looked up now: that takes a fraction of a millisecond, and anybody can be refused
    /// as often as they like.
    mutating func mayLookUp(at second: Int64) -> Bool {
        if names.second != second { names = (second, 0) }
        names.count += 1
        return names.count <= Self.namesPerSecond
    }

    mutating func note(_ refusal: Refusal, of profile: ProfileName) {
        guard var kept = refusals[profile] else { return }
        var refusal = refusal
        if refusal.detail.utf8.count > Self.longestDetail {
            refusal.detail = refusal.detail.prefix(Self.longestDetail) + "…"
        }
        kept.removeAll { $0.program == refusal.program && $0.uid == refusal.uid }
        kept.insert(refusal, at: 0)
        refusals[profile] = Array(kept.prefix(Self.mostPrograms))
    }

    /// A reload: these are the profiles from now on.
    mutating func keep(_ profiles: Set<ProfileName>) {
        refusals = Dictionary(uniqueKeysWithValues: profiles.map { ($0, refusals[$0] ?? []) })
    }
}
