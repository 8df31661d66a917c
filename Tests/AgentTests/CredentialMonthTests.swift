import Agent
import AgentAPI
import Differential
import Synchronization
import Testing

/// A month of an agent's life with whatever can go wrong, against a model that knows what the source has given and
/// what the contract promises (network-faults.md ).
@Suite("Thirty days")
struct CredentialMonthTests {
    private static let lifetimes: [String: Int64] = [
        "hour": 3600, "long": 43_200, "short": 900, "root": 43_200, "middle": 3600, "top": 900,
    ]

    private static func world(_ names: [String], _ dice: Dice) throws -> CredentialWorld {
        try CredentialWorld(
            names[0], names[1], names[2], bases: names[0] == "root" ? ["middle": "root", "top": "middle"] : [:],
            random: { dice.roll(0...1000) })
    }

    @Test(
        "Under random faults nothing expired is handed out, nothing valid withheld, and nobody is hammered",
        arguments: 1...4 as ClosedRange<UInt64>, [["hour", "long", "short"], ["root", "middle", "top"]])
    func randomFaults(seed: UInt64, names: [String]) async throws {
        let dice = Dice(seed: seed)
        let world = try Self.world(names, dice)
        var model = CredentialModel(world)
        let end = world.clock.boot + Int64(30 * 24).hours
        while world.clock.boot < end {
            let weather = Weather.random(dice)
            let clock = world.clock
            world.source.script { profile, _ in
                weather.step(
                    lifetime: Self.lifetimes[profile.description] ?? 0, number: dice.roll(0...999), at: clock.wall)
            }
            let change = world.clock.boot + dice.roll(Int64(1).minutes...Int64(6).hours)
            while world.clock.boot < change {
                let profile = world.profiles[Int(dice.roll(0...2))]
                switch dice.roll(0...999) {
                case 0..<3: model.setWall(by: dice.roll(Int64(-3).hours...Int64(3).hours))
                case 3..<6: world.clock.suspend(for: dice.roll(1...Int64(9).hours))
                case 6..<10: await model.changeState()
                case 10..<14: model.changeFiles()
                case 14..<18: try await model.refresh(profile)
                case 18..<20: try await model.lockAndUnlock()
                default: try await model.ask(profile)
                }
                try await world.advance(Self.pause(dice))
            }
        }
        for profile in world.profiles { model.judgeAttempts(on: profile) }
        #expect(model.answers > 1000)
        #expect(model.lateAnswers > 4, "the weather was too fine to prove anything")
        #expect(model.refusals > 50, "the weather was too fine to prove anything")
        #expect(model.outlived > 4, "the weather was too fine to prove anything")
        await world.end()
    }

    @Test(
        "While the service answers, nobody is ever handed less than 20 minutes",
        arguments: 11...14 as ClosedRange<UInt64>, [["hour", "long", "short"], ["root", "middle", "top"]])
    func healthyService(seed: UInt64, names: [String]) async throws {
        let dice = Dice(seed: seed)
        let world = try Self.world(names, dice)
        world.source.script { profile, _ in
            ScriptedSource.Step(
                takes: dice.roll(0...3900), outcome: .session(Self.lifetimes[profile.description] ?? 0))
        }
        var model = CredentialModel(world)
        let end = world.clock.boot + Int64(30 * 24).hours
        while world.clock.boot < end {
            try await model.ask(world.profiles[Int(dice.roll(0...2))])
            try await world.advance(Self.pause(dice))
        }
        for profile in world.profiles {
            model.judgeAttempts(on: profile)
            let starts = world.source.attempts.filter { $0.profile == profile }.map(\.began)
            // Half of a lifetime, less the jitter: more often means that sessions are thrown away.
            let least = try #require(Self.lifetimes[profile.description]) * 1000 * 4 / 10 - 1000
            #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 - $0 >= least })
        }
        #expect(model.answers > 1000)
        #expect(model.lateAnswers == 0)
        #expect(model.refusals == 0)
        await world.end()
    }

    private static func pause(_ dice: Dice) -> Int64 {
        switch dice.roll(0...9) {
        case 0..<6: dice.roll(1...Int64(2).minutes)
        case 6..<9: dice.roll(1...Int64(20).minutes)
        default: dice.roll(1...Int64(3).hours)
        }
    }
}

/// How the service and the token are for a while.
private enum Weather: CaseIterable {
    case slow, flaky, down, throttling, denied, pinNeeded, untouched, notYetValid, expired, garbage, fine

    static func random(_ dice: Dice) -> Self {
        dice.roll(0...1) == 0 ? .fine : allCases[Int(dice.roll(0...Int64(allCases.count - 1)))]
    }

    /// - Parameter now: The wall clock's milliseconds.
    func step(lifetime: Int64, number: Int64, at now: Int64) -> ScriptedSource.Step {
        switch self {
        case .fine: .init(takes: number, outcome: .session(lifetime))
        case .slow: .init(takes: number * 70, outcome: .session(lifetime))
        case .flaky: .init(takes: number, outcome: number % 2 == 0 ? .failure(.down) : .session(lifetime))
        case .down: .init(takes: number * 15, outcome: .failure(.down))
        case .throttling: .init(outcome: .failure(.throttled(Int(number))))
        case .denied: .init(takes: number, outcome: .failure(.denied))
        case .pinNeeded: .init(outcome: .failure(.pinNeeded))
        case .untouched: .init(takes: 15_000, outcome: .failure(.untouched))
        case .notYetValid: .init(outcome: .failure(.unusable(until: now / 1000 + 1 + number * 10)))
        case .expired: .init(takes: number, outcome: .failure(number % 2 == 0 ? .unusable(until: nil) : .denied))
        case .garbage: .init(outcome: .session(number % 59))
        }
    }
}

/// Random numbers that a seed fixes, for many tasks.
private final class Dice: Sendable {
    private let generator: Mutex<SplitMix64>

    init(seed: UInt64) { generator = Mutex(SplitMix64(seed: seed)) }

    func roll(_ range: ClosedRange<Int64>) -> Int64 { generator.withLock { Int64.random(in: range, using: &$0) } }
}
