import AgentAPI
import Testing

@testable import Agent

@Suite("A refusal lasts no longer than its cause")
struct CredentialCauseTests {
    @Test("A certificate that is not valid yet is asked for again when it begins, and not before")
    func certificateBegins() async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(.unusable(until: world.clock.wall / 1000 + 4)))
        #expect(await world.caller().value.failure?.retryAfter == 4)
        try await world.advance(Int64(4).seconds - 1)
        #expect(await world.caller().value.failure?.code == .noIdentity)
        #expect(world.source.count == 1)
        world.source.always(.session(3600))
        try await world.advance(1)
        #expect(try await world.ask() == "ASIATEST1")
        await world.end()
    }

    @Test("With a session held, a certificate's begin is not waited for by a caller")
    func certificateBeginsInBackground() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        world.source.script { [clock = world.clock] _, number in
            .init(outcome: number == 1 ? .failure(.unusable(until: clock.wall / 1000 + 300)) : .session(3600))
        }
        try await world.advance(Int64(45).minutes)
        #expect(world.source.attempts.map(\.occasion) == [.request, .background, .background])
        #expect(world.source.attempts[2].began - world.source.attempts[1].began == Int64(5).minutes)
        await world.end()
    }

    @Test(
        "A clock that is set ends every refusal, and no pause",
        arguments: [
            (.unusable(until: nil), 2), (.pinNeeded, 2), (.denied, 2), (.down, 1), (.throttled(60), 1), (.untouched, 1),
        ] as [(Problem, Int)], [-400, 400] as [Int64])
    func clock(failure: (problem: Problem, attempts: Int), days: Int64) async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(failure.problem))
        for _ in 0..<2 { _ = await world.caller().value }
        #expect(world.source.count == 1)
        world.clock.setWall(by: days * Int64(24).hours)
        _ = await world.caller().value
        #expect(world.source.count == failure.attempts)
        await world.end()
    }

    @Test(
        "Another file ends a refusal that was made of it, and no pause",
        arguments: [
            (.unusable(until: nil), 2), (.denied, 2), (Problem(.configuration, "no such file"), 2), (.down, 1),
            (.untouched, 1),
        ] as [(Problem, Int)])
    func files(failure: (problem: Problem, attempts: Int)) async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(failure.problem))
        for _ in 0..<2 { _ = await world.caller().value }
        #expect(world.source.count == 1)
        world.source.changeFiles()
        for _ in 0..<2 { _ = await world.caller().value }
        #expect(world.source.count == failure.attempts)
        await world.end()
    }

    @Test("A file that changes while it is read is read again for the next caller")
    func fileInFlight() async throws {
        let world = try CredentialWorld()
        world.source.hold(then: .failure(.denied))
        let caller = world.caller()
        try await until { world.source.held == 1 }
        world.source.changeFiles()
        world.source.release()
        #expect(await caller.value.failure?.code == .awsDenied)
        world.source.always(.session(3600))
        #expect(try await world.ask() == "ASIATEST1")
        await world.end()
    }

    @Test("With a session held, another file is noticed within a minute without a caller")
    func fileInBackground() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        world.source.always(.failure(.unusable(until: nil)))
        try await world.advance(Int64(45).minutes)
        #expect(world.source.count == 2)
        world.source.always(.session(3600))
        world.source.changeFiles()
        try await world.advance(Int64(1).minutes)
        #expect(world.source.count == 3)
        await world.end()
    }

    @Test(
        "A forced refresh asks again, whatever is remembered",
        arguments: [.unusable(until: nil), .pinNeeded, .denied, .down, .throttled(600), .untouched] as [Problem])
    func forced(failure: Problem) async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(failure))
        _ = await world.caller().value
        for count in 2...4 {
            #expect(await world.refresher().value.failure?.code == failure.code)
            #expect(world.source.count == count)
        }
        world.source.always(.session(3600))
        #expect(await world.refresher().value == .success("ASIATEST4"))
        await world.end()
    }

    @Test("Other users' forced refreshes take a quarter of the attempts, and none of the owner's half")
    func shares() async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(.denied))
        for _ in 0..<40 { _ = try? await world.cache.refresh(world.profile, isOwner: false) }
        #expect(world.source.count == 15)
        for _ in 0..<40 { _ = await world.refresher().value }
        #expect(world.source.count == 45)
        let problem = await world.refresher().value.failure
        #expect(problem?.retryAfter == 3601)
        #expect(problem?.detail == "the service refuses (remembered until 2026-01-01T01:00:01Z at the latest)")
        // What the profile lives on is still there.
        try await world.advance(Int64(15).minutes)
        _ = await world.caller().value
        #expect(world.source.count == 46)
        try await world.advance(Int64(45).minutes + 1)
        _ = try? await world.cache.refresh(world.profile, isOwner: false)
        _ = await world.refresher().value
        #expect(world.source.count == 48)
        await world.end()
    }

    @Test("A session that another user has just forced is no reason to refuse the owner one")
    func forcedLately() async throws {
        let world = try CredentialWorld()
        _ = try await world.cache.refresh(world.profile, isOwner: false)
        let problem = await #expect(throws: Problem.self) {
            try await world.cache.refresh(world.profile, isOwner: false)
        }
        #expect(problem?.code == .tooManyRequests)
        #expect(await world.refresher().value == .success("ASIATEST1"))
        #expect(await world.refresher().value.failure?.code == .tooManyRequests)
        await world.end()
    }

    @Test(
        "A remembered error says so, and until when; the first one does not",
        arguments: [
            (.pinNeeded, " (remembered until something changes)", nil, nil),
            (.unusable(until: 1_767_225_664), " (remembered until 2026-01-01T00:01:04Z at the latest)", 64, nil),
            (
                .denied, " (remembered until 2026-01-01T00:15:00Z at the latest)", 900,
                "'tokenward refresh prod' asks again"
            ),
            (.codeNeeded, " (remembered until 2026-01-01T00:15:00Z at the latest)", 900, nil),
            (.throttled(90), " (remembered until 2026-01-01T00:01:30Z)", 90, nil),
            (.untouched, " (remembered until 2026-01-01T00:00:02Z)", 2, nil),
        ] as [(Problem, String, Int?, String?)])
    func words(problem: Problem, note: String, retryAfter: Int?, hint: String?) async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(problem))
        let first = await world.caller().value.failure
        #expect(first?.detail == problem.detail)
        #expect(first?.retryAfter == retryAfter)
        #expect(first?.hint == nil)
        let second = await world.caller().value.failure
        #expect(second?.detail == problem.detail + note)
        #expect(second?.retryAfter == retryAfter)
        #expect(second?.hint == hint)
        #expect(try await world.status().lastError?.detail == problem.detail + note)
        await world.end()
    }
}
