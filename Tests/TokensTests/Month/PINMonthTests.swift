import Dispatch
import Foundation
import Synchronization
import Testing

/// To live through one month again, and with a diary: `SWIFT_DETERMINISTIC_HASHING=1 TOKENWARD_MONTH=SEED
/// swift test --filter PINMonthTests`. `TOKENWARD_MONTHS` says how many follow; without the other variable they begin
/// with 1.
@Suite("A month of PINs")
struct PINMonthTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let first = environment["TOKENWARD_MONTH"].flatMap { UInt64($0) }
    private static let count = environment["TOKENWARD_MONTHS"].flatMap { UInt64($0) } ?? (first == nil ? usual : 1)
    /// Only with Swift's hashing fixed is a month the same at each run; without, fewer serve to find other orders.
    private static let usual: UInt64 = environment["SWIFT_DETERMINISTIC_HASHING"] == nil ? 500 : 10_000

    @Test(
        "What months have found stays mended, however calls overlap",
        arguments: [
            // A lock is answered while a login waits for its worker to start.
            [.unlock, .lockCard, .rest], [.unlock, .lockAll, .rest], [.unlock, .beginEvent, .rest],
            // An unlock that waits for another one is older than the lock.
            [.unlock, .unlock, .unlock, .lockCard, .rest],
            // Several signatures find that the time of a typed PIN is over.
            [.unlock, .signAtOnce, .suspend, .signAtOnce, .rest],
            // Two modules show one card, whose PIN is changed.
            [.unlock, .signAtOnce, .vendorChange, .handOver, .signAtOnce, .rest],
            // A look at the tokens ends in a prompt when the agent has begun to stop.
            [.signAtOnce, .unlockStored, .stop],
        ] as [[PINMonth.Event.Kind]]) func found(_ kinds: [PINMonth.Event.Kind]) async
    {
        let witnesses = await withCheckedContinuation { continuation in
            DispatchQueue(label: "months").async {
                continuation.resume(returning: (1...100).map { PINMonth(seed: $0, kinds).run() })
            }
        }
        let violations = witnesses.flatMap(\.violations).map { "\($0.rule.rawValue): \($0.text)" }
        #expect(violations.isEmpty)
    }

    @Test(
        "Months that have found a fault stay without one",
        arguments: [
            // Signatures that waited for a login were made with its PIN, which was good for one.
            15313,
            // A signature that the module was busy with was made with the next PIN, which was good for one.
            18208,
            // A reload left out a module that was logging in, and a lock did not wait for the end of its worker.
            25006,
        ] as [UInt64]) func foundMonths(_ seed: UInt64) async
    {
        let witnesses = await withCheckedContinuation { continuation in
            DispatchQueue(label: "months").async {
                continuation.resume(returning: (1...10).map { _ in PINMonth(seed: seed, length: Months.length).run() })
            }
        }
        #expect(witnesses.flatMap(\.violations).map { "\($0.rule.rawValue): \($0.text)" }.isEmpty)
    }

    @Test("Whatever modules, cards, people and clocks do, no rule for PINs is broken") func months() async {
        let tally = await Months(first: Self.first ?? 1, count: Self.count).run()
        for (rule, months) in Dictionary(grouping: tally.broken, by: \.rule) {
            let (month, witness) = PINMonth(seed: months[0].seed, length: Months.length)
                .shrunk(breaking: rule)
            let seeds = months.prefix(10).map { "\($0.seed) (\($0.text))" }.joined(separator: ", ")
            Issue.record(
                """
                \(rule.rawValue), in \(months.count) months: \(seeds); in the first of these
                \(month.events.map { "\($0.kind)" }.joined(separator: " ")):
                \(witness.violations.map(\.text).joined(separator: "\n"))
                \((witness.diary ?? []).joined(separator: "\n"))
                """)
        }
        guard Self.count >= 1000 else { return }
        #expect(tally.logins > 2 * Int(Self.count), "too little happened to prove anything")
        #expect(tally.wrongPINs > Int(Self.count) / 2, "too little happened to prove anything")
        #expect(tally.signatures > Int(Self.count) / 2, "too little happened to prove anything")
    }
}

/// Many months, on two threads.
private final class Months: Sendable {
    static let length = 24
    private let state: Mutex<(next: UInt64, tally: Tally)>
    private let end: UInt64

    struct Tally: Sendable {
        var logins = 0
        var wrongPINs = 0
        var signatures = 0
        var broken: [(seed: UInt64, rule: CardWitness.Rule, text: String)] = []
    }

    init(first: UInt64, count: UInt64) {
        state = Mutex((first, Tally()))
        end = first + count
    }

    func run() async -> Tally {
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<2 { group.addTask { await self.run(onThread: thread) } }
        }
        return state.withLock(\.tally)
    }

    private func run(onThread number: Int) async {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "months \(number)").async {
                while let seed = self.next() { self.note(PINMonth(seed: seed, length: Self.length).run(), of: seed) }
                continuation.resume()
            }
        }
    }

    private func next() -> UInt64? {
        state.withLock { state in
            guard state.next < end else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    private func note(_ witness: CardWitness, of seed: UInt64) {
        state.withLock { state in
            state.tally.logins += witness.logins
            state.tally.wrongPINs += witness.wrongPINs
            state.tally.signatures += witness.signatures
            if let first = witness.violations.first { state.tally.broken.append((seed, first.rule, first.text)) }
        }
    }
}
