import AgentAPI
import ServiceAnswers
import Testing

@testable import Agent

@Suite("Requests for sessions, step by step")
struct SessionRequestsTests {
    private let own, first, top: ProfileName
    private let settings = CacheSettings(random: { $0.lowerBound }, render: { Array($0.accessKeyID.utf8) })
    private var requests: SessionRequests
    private let now = Moment(wall: 1_767_225_600_000, boot: 86_400_000)
    /// The attempts that the source is at, and what calls were answered.
    private var attempts: [ProfileName: ProfileState.Flight] = [:]
    private var answers: [UInt64: Result<CachedCredentials, Problem>] = [:]
    private var notes: [String] = []

    init() throws {
        own = try #require(ProfileName("own"))
        first = try #require(ProfileName("first"))
        top = try #require(ProfileName("top"))
        requests = SessionRequests(
            profiles: [own, first, top], routes: ProfileRoutes(bases: [top: own], fallbacks: [own: [first]]),
            CacheSurroundings(
                isLocked: { _ in false }, needsPerson: { _ in false }, isUsed: { _ in false },
                random: { $0.lowerBound },
                patience: 5000))
    }

    /// Carries out the steps, looks at files at once.
    private mutating func happen(_ event: (inout SessionRequests, Moment) -> Void) {
        event(&requests, now)
        var steps = requests.takeSteps()
        while !steps.isEmpty {
            switch steps.removeFirst() {
            case .look(let profile, let purpose):
                requests.looked(at: profile, for: purpose, [], at: now)
                steps += requests.takeSteps()
            case .ask(let profile, let flight, _): attempts[profile] = flight
            case .answer(let call, let outcome): answers[call] = outcome
            case .noteStandIn(let profile, let name): notes.append("\(profile): \(name.map { "\($0)" } ?? "own")")
            case .publish, .markUsed, .cancel: break
            }
        }
    }

    private mutating func ask(_ profile: ProfileName) -> UInt64 {
        let id = requests.newID()
        happen {
            $0.ask(
                SessionCall(
                    id, for: profile, .client, on: .request, by: SessionCall.Person(asking: nil, mayGesture: true),
                    until: $1.boot + 50_000), at: $1)
        }
        return id
    }

    private mutating func end(_ profile: ProfileName, with problem: Problem? = nil) throws {
        let flight = try #require(attempts[profile])
        attempts[profile] = nil
        let session = try CachedCredentials(
            SessionCredentials(
                accessKeyID: "\(profile)", secretAccessKey: "secret", sessionToken: "token",
                expiration: now.wall / 1000 + 3600, accountID: nil),
            of: [profile] + flight.madeOf, receivedAt: now, settings)
        happen { $0.ended(flight.id, of: profile, problem.map { .failure($0) } ?? .success(session), at: $1) }
    }

    private func key(_ call: UInt64) -> String? { (try? answers[call]?.get())?.accessKeyID }

    @Test("Whoever waits for a fallback gets the profile's own session where that has come meanwhile")
    mutating func ownFirst() throws {
        let call = ask(own)
        try end(own, with: .down)
        #expect(attempts[first] != nil && answers.isEmpty)
        let id = requests.newID()
        happen { [own] in
            var refresh = SessionCall(
                id, for: own, .client, on: .demand, by: SessionCall.Person(asking: nil, mayGesture: true),
                until: $1.boot + 50_000)
            refresh.wantsNew = true
            $0.refresh(refresh, .owner, at: $1)
        }
        try end(own)
        try end(first)
        #expect(key(call) == "own")
        #expect(notes.isEmpty)
    }

    @Test("A fallback that a reload takes away while it is waited for gives the profile's callers nothing")
    mutating func reload() throws {
        let call = ask(own)
        try end(own, with: .down)
        let profiles: Set = [own, first, top]
        happen { [top, own] in
            $0.replace(profiles, routes: ProfileRoutes(bases: [top: own]), changed: [], at: $1)
        }
        try end(first)
        guard case .failure(let problem)? = answers[call] else { throw problem(of: call) }
        #expect(problem.code == .awsUnavailable)
    }

    private struct Served: Error { let key: String? }

    private func problem(of call: UInt64) -> Served { Served(key: key(call)) }

    @Test("A lock of a profile whose callers wait for its fallback tells them that it is locked")
    mutating func lock() throws {
        let call = ask(own)
        try end(own, with: .down)
        happen { [own] in _ = $0.lock([own], at: $1) }
        guard case .failure(let problem)? = answers[call] else { throw self.problem(of: call) }
        #expect(problem.code == .locked)
        try end(first)
        #expect(notes.isEmpty)
    }

    @Test("A hop of a chain signs with the stand-in's session, whose drop takes the attempt along")
    mutating func chain() throws {
        let call = ask(top)
        try end(own, with: .down)
        try end(first)
        let flight = try #require(attempts[top])
        #expect(flight.madeOf == [first])
        happen { [first] in _ = $0.drop([first], at: $1) }
        #expect(!requests.isUnderWay(flight.id, of: top))
        #expect(answers[call] == nil && attempts[first] != nil)
    }

    @Test("A caller that hangs up is answered once, and its call to a fallback is forgotten")
    mutating func leave() throws {
        let call = ask(own)
        try end(own, with: .down)
        happen { requests, _ in requests.leave(call) }
        guard case .failure(let problem)? = answers[call] else { throw self.problem(of: call) }
        #expect(problem.code == .requestTimeout)
        answers = [:]
        try end(first)
        #expect(answers.isEmpty && notes.isEmpty)
    }
}
