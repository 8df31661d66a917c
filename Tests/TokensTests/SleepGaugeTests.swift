import Clocks
import Synchronization
import Testing

@testable import Tokens

@Suite("A machine that sleeps")
struct SleepGaugeTests {
    /// Boot time and the time awake, in milliseconds.
    private final class Hands: Sendable {
        let times = Mutex((boot: Int64(50_000), awake: Int64(20_000)))
        var clock: AgentClock {
            AgentClock(
                wall: { 0 }, boot: { self.times.withLock { $0.boot } }, awake: { self.times.withLock { $0.awake } },
                sleep: { _ in })
        }

        func pass(awake: Int64, asleep: Int64 = 0) {
            times.withLock { $0 = ($0.boot + awake + asleep, $0.awake + awake) }
        }
    }

    @Test("A sleep is noticed once, and time awake never is", arguments: [2001, 3_600_000] as [Int64])
    func noticed(asleep: Int64) {
        let hands = Hands()
        var gauge = SleepGauge(hands.clock)
        hands.pass(awake: 100_000)
        #expect(SleepGauge.ask(&gauge, hands.clock) == false)
        hands.pass(awake: 10, asleep: asleep)
        #expect(SleepGauge.ask(&gauge, hands.clock) == true)
        #expect(SleepGauge.ask(&gauge, hands.clock) == false)
        hands.pass(awake: 100_000)
        #expect(SleepGauge.ask(&gauge, hands.clock) == false)
    }

    @Test("Two seconds are no sleep, and add up")
    func short() {
        let hands = Hands()
        var gauge = SleepGauge(hands.clock)
        hands.pass(awake: 1, asleep: 2000)
        #expect(SleepGauge.ask(&gauge, hands.clock) == false)
        hands.pass(awake: 1, asleep: 1)
        #expect(SleepGauge.ask(&gauge, hands.clock) == true)
    }

    @Test("A clock that is given no time awake never sleeps")
    func without() {
        let boot = Mutex(Int64(0))
        let clock = AgentClock(wall: { 0 }, boot: { boot.withLock { $0 } }, sleep: { _ in })
        var gauge = SleepGauge(clock)
        boot.withLock { $0 = 1_000_000 }
        #expect(SleepGauge.ask(&gauge, clock) == false)
    }
}

extension SleepGauge {
    /// For `#expect`, which changes nothing that it looks at.
    fileprivate static func ask(_ gauge: inout SleepGauge, _ clock: AgentClock) -> Bool { gauge.hasSlept(clock) }
}
