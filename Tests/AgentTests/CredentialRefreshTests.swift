import AgentAPI
import ServiceAnswers
import Testing

@testable import Agent

@Suite("When a session is refreshed, and what is handed out meanwhile")
struct CredentialRefreshTests {
    // network-faults.md R-1, and a start that leaves a minute (or a twentieth) for the refresh itself.
    @Test(
        "A session in use is refreshed early enough, and jitter only makes it earlier",
        arguments: [
            (lifetime: 3600, dice: 0, left: 21 * 60), (3600, 1000, 26 * 60), (43_200, 0, 14_400 + 60),
            (43_200, 1000, 14_400 + 4_320), (900, 0, 450 + 45), (900, 1000, 450 + 90), (1800, 0, 900 + 60),
            (7200, 1000, 2400 + 720),
        ] as [(lifetime: Int64, dice: Int64, left: Int64)])
    func earlyRefresh(lifetime: Int64, dice: Int64, left: Int64) async throws {
        let world = try CredentialWorld(random: { dice })
        world.source.always(.session(lifetime))
        #expect(try await world.ask() == "ASIATEST0")
        try await world.advance((lifetime - left).seconds - 1)
        #expect(world.source.count == 1)
        try await world.advance(1)
        #expect(world.source.count == 2)
        #expect(try await world.ask() == "ASIATEST1")
        await world.end()
    }

    @Test("A session that no caller has used since its refresh is left to lapse, and dropped")
    func idleLapses() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        try await world.advance(Int64(40).minutes)
        #expect(world.source.count == 2)  // the first caller's use
        try await world.advance(Int64(24).hours)
        #expect(world.source.count == 2)
        #expect(try await world.status().expiration == nil)
        await world.end()
    }

    @Test("A use of what is published counts, and shows up without a sound")
    func publishedUse() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        try await world.advance(Int64(40).minutes)
        #expect(world.cache.published.ready(world.profile)?.accessKeyID == "ASIATEST1")
        try await world.advance(Int64(40).minutes)
        #expect(world.source.count == 3)
        await world.end()
    }

    @Test("A background refresh keeps no reader waiting")
    func backgroundRefresh() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        world.source.hold(then: .session(3600))
        try await world.advance(Int64(38).minutes)
        #expect(try await world.status().isRefreshing)
        #expect(world.cache.published.ready(world.profile)?.accessKeyID == "ASIATEST0")
        #expect(try await world.ask() == "ASIATEST0")
        world.source.release()
        try await world.settle()
        #expect(world.cache.published.ready(world.profile)?.accessKeyID == "ASIATEST1")
        await world.end()
    }

    @Test("After an idle time, who finds less than 20 minutes waits for a new session")
    func belowTheFloor() async throws {
        let world = try CredentialWorld()
        try await lapse(world, left: Int64(20).minutes - 1)
        #expect(world.cache.published.ready(world.profile) == nil)
        #expect(try await world.ask() == "ASIATEST2")
        await world.end()
    }

    @Test("Exactly 20 minutes are enough")
    func onTheFloor() async throws {
        let world = try CredentialWorld()
        try await lapse(world, left: Int64(20).minutes)
        #expect(world.cache.published.ready(world.profile)?.accessKeyID == "ASIATEST1")
        await world.end()
    }

    @Test("A caller that waits for a refresh gets the valid session when the refresh fails")
    func fallbackOnFailure() async throws {
        let world = try CredentialWorld()
        try await lapse(world, left: Int64(10).minutes)
        world.source.always(.failure(.down))
        #expect(try await world.ask() == "ASIATEST1")
        #expect(world.cache.published.ready(world.profile)?.accessKeyID == "ASIATEST1")
        await world.end()
    }

    @Test("A caller that waits for a refresh gets the valid session after five seconds, and later callers at once")
    func fallbackOnPatience() async throws {
        let world = try CredentialWorld()
        try await lapse(world, left: Int64(10).minutes)
        world.source.hold(then: .session(3600))
        let caller = world.caller()
        try await world.untilWaiting(1)
        try await world.advance(3999)
        #expect(try await world.status().waiting == 1)
        try await world.advance(1001)
        #expect(await caller.value == .success("ASIATEST1"))
        #expect(try await world.ask() == "ASIATEST1")
        world.source.release()
        try await world.settle()
        #expect(try await world.ask() == "ASIATEST2")
        await world.end()
    }

    @Test("A session that lapses during the patience is not handed out: the caller waits on")
    func fallbackLapses() async throws {
        let world = try CredentialWorld()
        try await lapse(world, left: Int64(62).seconds)
        world.source.hold(then: .session(3600))
        let caller = world.caller()
        try await world.untilWaiting(1)
        try await world.advance(Int64(10).seconds)
        #expect(try await world.status().waiting == 1)
        world.source.release()
        #expect(await caller.value == .success("ASIATEST2"))
        await world.end()
    }

    @Test("With a service that is down, a minute is handed out, and less is not")
    func hardFloor() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        world.source.always(.failure(.down))
        try await world.advance(Int64(59).minutes)
        #expect(world.cache.published.ready(world.profile)?.accessKeyID == "ASIATEST0")
        #expect(try await world.ask() == "ASIATEST0")
        try await world.advance(1)
        #expect(world.cache.published.ready(world.profile) == nil)
        let problem = await #expect(throws: Problem.self) { try await world.ask() }
        #expect(problem?.code == .awsUnavailable)
        #expect(try #require(problem?.retryAfter) > 0)
        #expect(try await world.status().expiration == nil)
        await world.end()
    }

    @Test("A failed refresh changes nothing of what is held")
    func failureKeeps() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        let before = try await world.status()
        world.source.always(.failure(.denied))
        try await world.advance(Int64(38).minutes)
        let after = try await world.status()
        #expect(after.lastError?.code == .awsDenied)
        #expect(after.expiration == before.expiration)
        #expect(world.cache.published.ready(world.profile)?.accessKeyID == "ASIATEST0")
        #expect(try await world.ask() == "ASIATEST0")
        await world.end()
    }

    @Test(
        "What is incomplete, expired or not to be believed is never cached",
        arguments: [
            ("", "s", "t", 3600, "111122223333"), ("A", "", "t", 3600, "111122223333"),
            ("A", "s", "", 3600, "111122223333"), ("A", "s", "t", 3600, ""), ("A", "s", "t", 59, "111122223333"),
            ("A", "s", "t", 0, "111122223333"), ("A", "s", "t", -3600, "111122223333"),
            ("A", "s", "t", 43_801, "111122223333"), ("A", "s", "t", .max - 1_767_225_600, "111122223333"),
            ("A", "s", "t", .min, "111122223333"),
        ] as [(String, String, String, Int64, String)])
    func invalidAnswers(key: String, secret: String, token: String, lifetime: Int64, account: String) async throws {
        let world = try CredentialWorld()
        world.source.always(
            .credentials(
                SessionCredentials(
                    accessKeyID: key, secretAccessKey: secret, sessionToken: token,
                    expiration: world.clock.wall / 1000 &+ lifetime, accountID: account)))
        let problem = await #expect(throws: Problem.self) { try await world.ask() }
        #expect(problem?.code == .awsAnswerInvalid)
        #expect(try await world.status().expiration == nil)
        await world.end()
    }

    @Test("A profile that is not configured is unknown")
    func unknownProfile() async throws {
        let world = try CredentialWorld()
        let stranger = try #require(ProfileName("stranger"))
        #expect(await world.caller(stranger).value.failure?.code == .unknownProfile)
        #expect(world.cache.published.ready(stranger) == nil)
        #expect(world.source.count == 0)
        await world.end()
    }

    /// Leaves the second session, which nobody has used, with that much left.
    private func lapse(_ world: CredentialWorld, left: Int64) async throws {
        _ = try await world.ask()
        try await world.advance(Int64(40).minutes)
        let expiration = try #require(try await world.status().expiration)
        try await world.advance(expiration * 1000 - world.clock.wall - left)
        #expect(world.source.count == 2)
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
