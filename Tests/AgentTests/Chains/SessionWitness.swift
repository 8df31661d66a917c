import AgentAPI
import Synchronization

@testable import Agent

/// Keeps the rules for sessions in the plainest way: what the attempts gave, what was withdrawn, and who got what.
struct SessionWitness {
    struct Counts {
        var sessions = 0
        var refusals = 0
        /// Calls that a fallback's session answered, and attempts that signed with one.
        var standIns = 0
        var ofStandIns = 0
        /// How often a profile's own sessions came back after that.
        var back = 0
        var chained = 0
        var withdrawn = 0

        static func += (sum: inout Self, more: Self) {
            sum.sessions += more.sessions
            sum.refusals += more.refusals
            sum.standIns += more.standIns
            sum.ofStandIns += more.ofStandIns
            sum.back += more.back
            sum.chained += more.chained
            sum.withdrawn += more.withdrawn
        }
    }

    /// A session as the attempt gave it.
    private struct Given {
        /// The profile that it was obtained for, then those whose sessions it was made of.
        let profiles: [ProfileName]
        /// When it ends, in milliseconds of wall and boot time.
        let wall: Int64
        let boot: Int64
        var isWithdrawn = false
        /// It was over by a clock that may have been set back since, so it may have been dropped.
        var hasLapsed = false
    }

    private struct Asked {
        let profile: ProfileName
        /// What is still valid is no answer: a new session is wanted, or none.
        var wantsNew: Bool
        let boot: Int64
    }

    private(set) var counts = Counts()
    private(set) var broken: String?
    private(set) var bases: [ProfileName: ProfileName]
    private(set) var fallbacks: [ProfileName: [ProfileName]]
    private var now = Moment(wall: 0, boot: 0)
    private var locked: Set<ProfileName> = []
    private var given: [String: Given] = [:]
    /// The last session of each profile.
    private var own: [ProfileName: String] = [:]
    private var published: [ProfileName: String] = [:]
    /// Sessions that callers of a profile have got.
    private var handedOut: [ProfileName: Set<String>] = [:]
    private var standIn: [ProfileName: ProfileName] = [:]
    private var isDown: Set<ProfileName> = []
    private var calls: [UInt64: Asked] = [:]
    private var underWay: [ProfileName: UInt64] = [:]
    private var starts: [ProfileName: [Int64]] = [:]
    /// Until when a profile rests.
    private var rests: [ProfileName: Int64] = [:]

    init(bases: [ProfileName: ProfileName], fallbacks: [ProfileName: [ProfileName]]) {
        (self.bases, self.fallbacks) = (bases, fallbacks)
    }

    private mutating func expect(_ isTrue: Bool, _ rule: @autoclosure () -> String) {
        if !isTrue, broken == nil { broken = rule() }
    }

    // MARK: What is so

    mutating func move(to now: Moment) {
        self.now = now
        for key in given.keys where !isGood(key) { given[key]?.hasLapsed = true }
    }

    func root(of profile: ProfileName) -> ProfileName { bases[profile].map(root) ?? profile }

    func isLocked(_ profile: ProfileName) -> Bool { locked.contains(root(of: profile)) }

    /// The profiles whose own sessions the profile's callers may get.
    private func allowed(_ profile: ProfileName) -> Set<ProfileName> {
        (fallbacks[profile] ?? []).reduce(into: [profile]) { $0.formUnion(allowed($1)) }
    }

    private func isGood(_ key: String) -> Bool {
        guard let session = given[key], !session.isWithdrawn else { return false }
        return min(session.wall - now.wall, session.boot - now.boot) >= 60_000
    }

    private func hasOwn(_ profile: ProfileName) -> Bool {
        own[profile].map { isGood($0) && given[$0]?.hasLapsed == false } ?? false
    }

    /// Whether the session's chain is one that the configuration has.
    private func isMadeAsConfigured(_ profiles: [ProfileName]) -> Bool {
        zip(profiles, profiles.dropFirst()).allSatisfy { name, next in
            bases[name].map { allowed($0).contains(next) } ?? false
        } && profiles.last.map { bases[$0] == nil } ?? false
    }

    // MARK: What is asked, and changes

    mutating func ask(_ profile: ProfileName, wantsNew: Bool, as call: UInt64) {
        calls[call] = Asked(profile: profile, wantsNew: wantsNew, boot: now.boot)
    }

    mutating func leave(_ call: UInt64) { calls[call]?.wantsNew = true }

    var waiting: [UInt64] { calls.keys.sorted() }

    mutating func lock(_ names: Set<ProfileName>) { locked.formUnion(names) }
    mutating func unlock() { locked = [] }

    /// The profiles' sessions are withdrawn, and all that is made of them.
    ///
    /// - Parameter told: The profiles whose callers may have got one, as the cache says.
    mutating func withdraw(_ names: Set<ProfileName>, told: Set<ProfileName>) {
        let dependents = names.union(bases.keys.filter { name in names.contains { isUnder(name, $0) } })
        for (key, session) in given where !session.isWithdrawn && !dependents.isDisjoint(with: session.profiles) {
            given[key]?.isWithdrawn = true
            counts.withdrawn += 1
            for (profile, keys) in handedOut where keys.contains(key) && !session.hasLapsed {
                expect(told.contains(profile), "callers of \(profile) keep \(key), which was withdrawn")
            }
        }
    }

    private func isUnder(_ name: ProfileName, _ base: ProfileName) -> Bool {
        name == base || bases[name].map { isUnder($0, base) } ?? false
    }

    mutating func reload(fallbacks new: [ProfileName: [ProfileName]]) {
        fallbacks = new
        for (key, session) in given where !isMadeAsConfigured(session.profiles) { given[key]?.isWithdrawn = true }
        standIn = standIn.filter { (new[$0] ?? []).contains($1) }
        handedOut = [:]  // as the new configuration has it, no caller has got a fallback's
    }

    // MARK: What is done

    mutating func look(at step: CacheStep) {
        switch step {
        case .publish(let profile, let session, _): published[profile] = session?.accessKeyID
        case .noteStandIn(let profile, let name): note(name, for: profile)
        case .ask(let profile, let flight, let base): begin(flight, of: profile, from: base)
        case .cancel(let flight): underWay = underWay.filter { $0.value != flight }
        case .answer(let call, let outcome): answer(call, outcome)
        case .markUsed, .look: break
        }
    }

    /// What holds after each event.
    mutating func judge() {
        for (profile, key) in published {
            expect(given[key]?.isWithdrawn == false, "\(key) of \(profile) is published and withdrawn")
            expect(!isLocked(profile), "\(profile) is published and locked")
        }
        for (call, asked) in calls {
            expect(now.boot - asked.boot < 56_000, "call \(call) to \(asked.profile) is not answered")
        }
    }

    /// What holds once all has been well for long.
    mutating func expectOwn(_ profile: ProfileName, _ status: CredentialStatus?) {
        expect(hasOwn(profile), "\(profile) has no session though all is well")
        expect(status?.standIn == nil && standIn[profile] == nil, "\(profile) keeps its stand-in though all is well")
    }

    private mutating func note(_ name: ProfileName?, for profile: ProfileName) {
        expect(standIn[profile] != name, "a stand-in is told twice")
        standIn[profile] = name
        guard let name else { return counts.back += 1 }
        expect(allowed(profile).contains(name) && name != profile, "\(name) stands in for \(profile)")
        expect(!hasOwn(profile), "\(name) stands in for \(profile), which has a session")
    }

    private mutating func begin(
        _ flight: ProfileState.Flight, of profile: ProfileName, from base: CachedCredentials?
    ) {
        expect(underWay[profile] == nil, "two attempts at once on \(profile)")
        underWay[profile] = flight.id
        expect(!isLocked(profile), "an attempt on \(profile), which is locked")
        starts[profile, default: []].append(now.boot)
        let lately = (starts[profile] ?? []).count { now.boot - $0 <= 3_600_000 }
        expect(lately <= 60, "\(lately) attempts on \(profile) in an hour")
        expect(flight.person.mayGesture || flight.occasion == .foreign, "an attempt for another user is not marked so")
        if flight.share == .whole { expect(now.boot >= rests[profile] ?? .min, "an attempt on \(profile) in a pause") }
        guard let owner = bases[profile] else { return expect(base == nil, "\(profile) is made of a session") }
        guard let base else { return expect(false, "\(profile) is made of nothing") }
        counts.chained += 1
        expect(
            base.profiles == flight.madeOf && isMadeAsConfigured([profile] + base.profiles), "made of \(base.profiles)")
        expect(isGood(base.accessKeyID), "\(profile) is made of \(base.accessKeyID), which is over or withdrawn")
        if base.profiles.first != owner {
            counts.ofStandIns += 1
            expect(!hasOwn(owner), "\(profile) is made of a stand-in's session though \(owner) has one")
        }
    }

    private mutating func answer(_ call: UInt64, _ outcome: Result<CachedCredentials, Problem>) {
        guard let asked = calls.removeValue(forKey: call) else {
            return expect(false, "call \(call) is answered twice")
        }
        judge(outcome, for: asked.profile, wantsNew: asked.wantsNew, since: asked.boot)
    }

    /// - Parameter wantsNew: Only a new session would have done.
    mutating func judge(
        _ outcome: Result<CachedCredentials, Problem>, for profile: ProfileName, wantsNew: Bool, since asked: Int64
    ) {
        switch outcome {
        case .failure(let problem):
            counts.refusals += 1
            expect(
                wantsNew || isLocked(profile) || !hasOwn(profile),
                "a valid session of \(profile) is withheld: \(problem.detail)")
        case .success(let session):
            counts.sessions += 1
            let key = session.accessKeyID
            expect(isGood(key), "\(key), which is over or withdrawn, for \(profile)")
            expect(!isLocked(profile), "\(key) for \(profile), which is locked")
            expect(given[key]?.profiles == session.profiles, "\(key) is said to be made of \(session.profiles)")
            expect(isMadeAsConfigured(session.profiles), "\(key) is made of \(session.profiles)")
            handedOut[profile, default: []].insert(key)
            guard let first = session.profiles.first, first != profile else { return }
            counts.standIns += 1
            expect(!wantsNew, "a fallback's session for a refresh")
            expect(allowed(profile).contains(first), "a session of \(first) for \(profile)")
            expect(!hasOwn(profile), "a session of \(first) for \(profile), which has one")
            expect(isDown.contains { isUnder(profile, $0) || allowed(profile).contains($0) }, "nothing was down")
        }
    }

    /// An attempt has ended with a session, or with a problem.
    mutating func end(
        _ flight: ProfileState.Flight, of profile: ProfileName, _ outcome: Result<CachedCredentials, Problem>,
        expires: (wall: Int64, boot: Int64)
    ) {
        guard underWay[profile] == flight.id else { return }
        underWay[profile] = nil
        rests[profile] = nil
        switch outcome {
        case .success(let session):
            given[session.accessKeyID] = Given(profiles: session.profiles, wall: expires.wall, boot: expires.boot)
            own[profile] = session.accessKeyID
        case .failure(let problem):
            if problem.isDown { isDown.insert(profile) }
            if problem.retry == .pause { rests[profile] = now.boot + 1000 }
        }
    }
}
