import AgentAPI
import Synchronization
import Testing

@testable import Agent

/// A cache whose keeper runs, on clocks that a test turns, over a source that follows a script.
struct CredentialWorld {
    let clock: CredentialClock
    let source: ScriptedSource
    let cache: CredentialCache
    let profiles: [ProfileName]
    let routes: ProfileRoutes
    private let keeper: Task<Void, Never>

    var profile: ProfileName { profiles[0] }

    /// - Parameters:
    ///   - bases: Of the profiles that have one.
    ///   - fallbacks: Of the profiles that have some.
    ///   - random: Where in its range each random number lies, in thousandths; 500 is the middle.
    init(
        _ names: String..., bases: [String: String] = [:], fallbacks: [String: [String]] = [:],
        random: @escaping @Sendable () -> Int64 = { 500 }
    ) throws {
        let clock = CredentialClock()
        self.clock = clock
        profiles = try (names.isEmpty ? ["prod"] : names).map { try #require(ProfileName($0)) }
        source = ScriptedSource(clock: clock)
        let settings = CacheSettings(
            clock: clock.agentClock, random: { $0.lowerBound + ($0.upperBound - $0.lowerBound) * random() / 1000 },
            render: { Array($0.accessKeyID.utf8) })
        func name(_ text: String) throws -> ProfileName { try #require(ProfileName(text)) }
        routes = ProfileRoutes(
            bases: Dictionary(uniqueKeysWithValues: try bases.map { (try name($0.key), try name($0.value)) }),
            fallbacks: Dictionary(
                uniqueKeysWithValues: try fallbacks.map { (try name($0.key), try $0.value.map(name)) }))
        let cache = CredentialCache(profiles: Set(profiles), routes: routes, source: source, settings: settings)
        self.cache = cache
        keeper = Task { await cache.run() }  // ended by `end`
    }

    /// Locks these profiles; nil: all.
    func lock(_ names: Set<ProfileName>? = nil) async {
        source.setLocked(names ?? Set(profiles))
        await cache.lock(names)
    }

    func unlock() async {
        source.setLocked([])
        await cache.stateChanged()
    }

    /// The access key ID of what a caller gets.
    func ask(_ profile: ProfileName? = nil) async throws(Problem) -> String {
        try await cache.credentials(for: profile ?? self.profile).accessKeyID
    }

    /// A caller that may have to wait.
    func caller(_ profile: ProfileName? = nil) -> Task<Result<String, Problem>, Never> {
        Task {
            do throws(Problem) { return .success(try await ask(profile)) } catch { return .failure(error) }
        }
    }

    func refresher(_ profile: ProfileName? = nil) -> Task<Result<String, Problem>, Never> {
        Task {
            do throws(Problem) {
                return .success(try await cache.refresh(profile ?? self.profile).accessKeyID)
            } catch { return .failure(error) }
        }
    }

    func status(_ profile: ProfileName? = nil) async throws -> CredentialStatus {
        try #require(await cache.status(of: profile ?? self.profile))
    }

    /// Returns when so many callers wait for the profile's flight.
    func untilWaiting(_ count: Int, for profile: ProfileName? = nil) async throws {
        try await until { try await status(profile).waiting == count }
    }

    /// The profile, and those whose sessions its own are made of.
    func chain(_ profile: ProfileName) -> [ProfileName] { [profile] + routes.bases(of: profile) }

    /// Returns when nothing more happens until time passes: the keeper sleeps, and so does each attempt under way.
    func settle() async throws {
        await Task.yield()
        try await until {
            // These are looked at one after the other, so they count only where nothing has happened in between.
            let before = (source.steps, clock.naps)
            guard source.isQuiet, clock.sleeping == 1 + source.asleep else { return false }
            for profile in profiles {
                let isIdle = chain(profile).allSatisfy { source.running($0) == 0 && source.hungLooks($0) == 0 }
                if isIdle, try await status(profile).isRefreshing { return false }
            }
            return source.isQuiet && clock.sleeping == 1 + source.asleep && before == (source.steps, clock.naps)
        }
    }

    /// Lets time pass, and all happen that happens in it, in order.
    func advance(_ milliseconds: Int64) async throws {
        let target = clock.boot + milliseconds
        try await settle()
        while let next = clock.nextWake, next <= target {
            clock.move(to: next)
            try await settle()
        }
        clock.move(to: target)
        try await settle()
    }

    /// What a caller gets, with time passing while it waits.
    func outcome(of caller: Task<Result<String, Problem>, Never>, for profile: ProfileName) async throws
        -> Result<String, Problem>
    {
        // No `async let`: a caller that is never answered would hold the test after its failure.
        let answer = Answer()
        Task {
            let result = await caller.value
            answer.result.withLock { $0 = result }
        }
        try await until {
            if answer.result.withLock({ $0 != nil }) { return true }
            if try await status(profile).waiting > 0 { try await advance(500) }
            return false
        }
        return try #require(answer.result.withLock { $0 })
    }

    private final class Answer: Sendable {
        let result = Mutex<Result<String, Problem>?>(nil)
    }

    func end() async {
        await cache.stop()
        await keeper.value
    }
}

extension Int64 {
    var seconds: Int64 { self * 1000 }
    var minutes: Int64 { self * 60_000 }
    var hours: Int64 { self * 3_600_000 }
}
