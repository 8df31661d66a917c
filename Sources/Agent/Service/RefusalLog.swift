import AgentAPI
import Clocks
import Prompts
import Synchronization
import UTCTime

/// The last refusal of each profile to each program, in memory: many SDKs keep the client's line to themselves.
struct RefusalLog: Sendable {
    static let mostPrograms = 8
    static let longestDetail = 512
    private static let namesPerSecond = 10

    /// Of every profile that there is, the newest first.
    private var refusals: [ProfileName: [ProfileStatus.Refusal]]
    private var names = (second: Int64.min, count: 0)

    init(profiles: Set<ProfileName>) {
        refusals = Dictionary(uniqueKeysWithValues: profiles.map { ($0, []) })
    }

    /// The newest first.
    func refusals(of profile: ProfileName) -> [ProfileStatus.Refusal] { refusals[profile] ?? [] }

    /// Whether a program's name may be looked up now: that takes a fraction of a millisecond, and any user can cause
    /// refusals without limit.
    mutating func mayLookUp(at second: Int64) -> Bool {
        if names.second != second { names = (second, 0) }
        names.count += 1
        return names.count <= Self.namesPerSecond
    }

    mutating func note(_ refusal: ProfileStatus.Refusal, of profile: ProfileName) {
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

/// The refusals that `status` shows, noted as they happen.
final class LastRefusals: Sendable {
    let log: Mutex<RefusalLog>
    private let clock: AgentClock

    init(of profiles: Set<ProfileName>, clock: AgentClock) {
        log = Mutex(RefusalLog(profiles: profiles))
        self.clock = clock
    }

    /// Called on the event loop, before the program has its answer, after which it may end. It may be a program of any
    /// user, and nothing here waits for it.
    func note(_ problem: Problem, of profile: ProfileName, to peer: Peer) {
        let second = clock.wall() / 1000
        let isNamed = log.withLock { $0.mayLookUp(at: second) }
        let refusal = ProfileStatus.Refusal {
            $0.program = isNamed ? Ancestry(of: peer.pid, readsMemory: false).programs.first?.name : nil
            $0.uid = peer.uid
            $0.time = "\(UTCTime(secondsSince1970: second))"
            $0.code = problem.code.rawValue
            $0.detail = problem.detail
        }
        log.withLock { $0.note(refusal, of: profile) }
    }
}
