import AgentAPI
import Testing

@testable import Agent

/// What callers and the service may expect, worked out from what the source gave and from nothing of the cache's own.
struct CredentialModel {
    let world: CredentialWorld
    private(set) var answers = 0
    private(set) var lateAnswers = 0
    private(set) var refusals = 0
    /// Refusals whose cause had ended when somebody asked.
    private(set) var outlived = 0
    /// Attempts before this number were locked away.
    private var firstAllowed = 0
    /// Sessions that were over when somebody set the clock forward, and may have been dropped.
    private var perhapsDropped: Set<String> = []
    /// Boot times at which something changed that may cure a refusal, and at which the wall clock was set far.
    private var changes: [Int64] = []
    private var leaps: [Int64] = []

    init(_ world: CredentialWorld) { self.world = world }

    /// Calls and judges the answer. A clock that moves in steps of half a second gives that much latitude.
    mutating func ask(_ profile: ProfileName) async throws {
        let asked = world.clock.boot
        let isOutlived = hasOutlivedRefusal(profile)
        let hadFailed = hasFailed(profile)
        switch try await world.outcome(of: world.caller(profile), for: profile) {
        case .success(let key):
            answers += 1
            let attempt = try judge(key, for: profile)
            let left = remaining(attempt) + 500
            guard left < min(Int64(20).minutes, try #require(attempt.lifetime) / 2) else { return }
            lateAnswers += 1
            #expect(hadFailed || hasFailed(profile) || isSlow(profile), "less than the floor from a healthy service")
        case .failure(let problem):
            refusals += 1
            if isOutlived {
                outlived += 1
                let isAsked = world.source.last(profile).map { $0.began >= asked } ?? false
                let isOfBase = problem.parameters[.sourceProfile] != nil
                #expect(isAsked || isOfBase || isBudgetSpent(profile), "a refusal that has lost its cause: \(problem)")
            }
            guard let held = world.source.lastSession(profile) else { return }
            let isFresh = try world.clock.boot - #require(held.ended) < 500  // it may have come after the answer
            let isExcused =
                isFresh || isLockedAway(held.accessKeyID) || perhapsDropped.contains(held.accessKeyID)
            #expect(isExcused || remaining(held) < 60_000, "valid credentials withheld: \(problem)")
        }
    }

    mutating func refresh(_ profile: ProfileName) async throws {
        let asked = world.clock.boot
        let isUnderWay = world.chain(profile).contains { world.source.last($0).map { $0.ended == nil } ?? false }
        let key: String
        switch try await world.outcome(of: world.refresher(profile), for: profile) {
        case .success(let new): key = new
        case .failure(let problem):
            let isAsked = world.source.last(profile).map { $0.began >= asked } ?? false
            let isExcused =
                isUnderWay || problem.code == .tooManyRequests || problem.parameters[.sourceProfile] != nil
                || isBudgetSpent(profile, oneIn: 2)
            return #expect(isAsked || isExcused, "a forced refresh that asked nobody: \(problem)")
        }
        let attempt = try judge(key, for: profile)
        #expect(try #require(attempt.ended) >= asked, "an old session for a forced refresh")
    }

    mutating func setWall(by milliseconds: Int64) {
        world.clock.setWall(by: milliseconds)
        if abs(milliseconds) > 30_000 { leaps.append(world.clock.boot) }
        for held in world.profiles.compactMap(world.source.lastSession) where remaining(held) < 60_000 {
            perhapsDropped.insert(held.accessKeyID)
        }
    }

    mutating func changeFiles() {
        changes.append(world.clock.boot)
        world.source.changeFiles()
    }

    mutating func changeState() async {
        changes.append(world.clock.boot)
        await world.cache.stateChanged()
    }

    mutating func lockAndUnlock() async throws {
        changes.append(world.clock.boot)
        firstAllowed = world.source.count
        await world.lock()
        for profile in world.profiles { #expect(await world.caller(profile).value.failure?.code == .locked) }
        await world.unlock()
    }

    /// Judges all attempts on a profile: how many, one at a time, and none during a pause.
    func judgeAttempts(on profile: ProfileName) {
        let attempts = world.source.attempts.filter { $0.profile == profile }
        for (count, window) in [(60, Int64(1).hours), (500, Int64(24).hours)] {
            #expect(zip(attempts, attempts.dropFirst(count)).allSatisfy { $1.began - $0.began > window })
        }
        var failures = 0
        for (attempt, next) in zip(attempts, attempts.dropFirst()) {
            guard let ended = attempt.ended else { continue }
            #expect(next.began >= ended, "two attempts at once")
            let isChanged = (changes + leaps).contains { (attempt.began...next.began).contains($0) }
            var pause: Int64 = 0
            if !attempt.isCancelled, !attempt.gaveSession {
                let isEnded = attempt.failure?.causeEnds.map { next.beganByWall >= $0 * 1000 } ?? false
                let mayAsk = isChanged || isEnded || next.occasion == .demand
                switch attempt.failure?.retry {
                case .pause, .base:
                    failures += 1
                    pause = max(1000, min(30_000, 1000 << Int64(min(failures - 1, 9))) / 2)
                    pause = max(pause, min(600, Int64(attempt.failure?.retryAfter ?? 0)) * 1000)
                case nil: pause = 1000
                case .change: pause = mayAsk ? 0 : Int64(15).minutes
                case .person:  // a minute while something is held, which only its caller knows for sure
                    pause = Int64(2).seconds
                    #expect(next.occasion != .background, "a person asked in the background after a missed touch")
                case .token: #expect(mayAsk, "a token asked again that had not changed")
                }
                if next.occasion == .demand { pause = 0 }
            }
            if attempt.failure?.retry != .pause { failures = 0 }
            if attempt.isCancelled { failures = 0 }
            #expect(next.began - ended >= pause, "an attempt in a pause after \(attempt)")
        }
    }

    /// Whether the last attempt was refused, and the cause of that has ended since.
    private func hasOutlivedRefusal(_ profile: ProfileName) -> Bool {
        guard let last = world.source.last(profile), !last.isCancelled, let ended = last.ended,
            let offset = last.endedWithOffset, let cause = last.failure, [.token, .change].contains(cause.retry)
        else { return false }
        let leap = abs(world.clock.wall - world.clock.boot - offset)
        return leap > 30_000 || changes.contains { $0 > ended }
            || cause.causeEnds.map { world.clock.wall >= $0 * 1000 } ?? false
    }

    /// Whether there were so many attempts that no other is allowed.
    private func isBudgetSpent(_ profile: ProfileName, oneIn divisor: Int = 1) -> Bool {
        let ages = world.source.attempts.filter { $0.profile == profile }.map { world.clock.boot - $0.began }
        return ages.count(where: { $0 <= Int64(1).hours }) >= 60 / divisor
            || ages.count(where: { $0 <= Int64(24).hours }) >= 500 / divisor
    }

    private func judge(_ key: String, for profile: ProfileName) throws -> ScriptedSource.Attempt {
        let number = try #require(ScriptedSource.number(of: key))
        let attempt = try #require(world.source.attempt(number))
        #expect(attempt.profile == profile)
        try judgeBase(of: attempt)
        #expect(!isLockedAway(key), "a session from before the lock")
        #expect(remaining(attempt) + 500 >= 60_000, "less than a minute")
        return attempt
    }

    /// What a session is made of is the base's own, was good for a minute or more when it was asked with, and is not locked
    /// away.
    private func judgeBase(of attempt: ScriptedSource.Attempt) throws {
        guard let base = world.routes.base(of: attempt.profile) else { return #expect(attempt.base == nil) }
        let made = try #require(attempt.base.flatMap { world.source.attempt($0) })
        #expect(made.profile == base)
        #expect(try #require(made.deadline) - attempt.began >= 60_000, "a base with less than a minute")
        #expect(!isLockedAway(made.accessKeyID), "a base from before the lock")
    }

    private func isLockedAway(_ key: String) -> Bool { (ScriptedSource.number(of: key) ?? 0) < firstAllowed }

    private func hasFailed(_ profile: ProfileName) -> Bool {
        world.chain(profile).contains { world.source.lastEnded($0)?.gaveSession == false }
    }

    /// Whether an attempt that its callers wait for takes longer than they do. It may have ended since the answer, in the
    /// clock's last step.
    private func isSlow(_ profile: ProfileName) -> Bool {
        let chain = world.chain(profile)
        let isUnderWay = { (last: ScriptedSource.Attempt) in last.ended.map { world.clock.boot - $0 < 500 } ?? true }
        guard let index = chain.firstIndex(where: { world.source.last($0).map(isUnderWay) ?? false }),
            var began = world.source.last(chain[index])?.began
        else { return false }
        // It began when its base had answered, which callers have waited for as well.
        for base in chain[(index + 1)...].compactMap(world.source.last)
        where base.ended.map({ $0 + 500 >= began }) ?? false {
            began = min(began, base.began)
        }
        return world.clock.boot - began >= 3500
    }

    private func remaining(_ attempt: ScriptedSource.Attempt) -> Int64 {
        min((attempt.expiration ?? 0) * 1000 - world.clock.wall, (attempt.deadline ?? 0) - world.clock.boot)
    }
}
