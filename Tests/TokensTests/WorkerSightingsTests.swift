import PKCS11URI
import Testing
import TokenService

@testable import Tokens

@Suite("What the workers of one module have shown")
struct WorkerSightingsTests {
    private static func token(_ label: String) -> TokenDescription {
        TokenDescription(label: Array(label.utf8), manufacturer: [], model: [], serial: [])
    }

    private static func snapshot(_ label: String, slot: UInt64 = 1, isLoggedIn: Bool = false) -> TokenSnapshot {
        TokenSnapshot(
            slotID: slot, token: token(label), flags: [], isLoggedIn: isLoggedIn, pinLength: 4...8, certificates: [],
            keys: [])
    }

    private let one = token("one")
    private let two = token("two")
    private let three = token("three")

    @Test("The listing worker and the tokens' own workers make one sighting")
    func merged() {
        let listing = Look.Outcome.success([Self.snapshot("one"), Self.snapshot("two"), Self.snapshot("three")])
        let (sighting, gone) = WorkerSightings.merged(
            listing,
            [one: .success([Self.snapshot("one", isLoggedIn: true)]), two: .failure(.stopped), three: .success([])])
        #expect(sighting.tokens.map(\.token) == [one, two])
        #expect(sighting.tokens.map(\.isLoggedIn) == [true, false])
        #expect(sighting.tokens[1].failure != nil && sighting.failure == nil && gone == [three])
    }

    @Test("A module that cannot be listed shows the tokens whose own workers answer")
    func unlisted() {
        let (sighting, gone) = WorkerSightings.merged(
            .failure(.stopped), [one: .success([Self.snapshot("one")]), two: .failure(.confused)])
        #expect(sighting.tokens.map(\.token) == [one] && sighting.failure == .stopped && gone.isEmpty)
    }

    @Test("Two slots with tokens that are described alike are placed once")
    func alike() {
        let listing = Look.Outcome.success([Self.snapshot("one", slot: 1), Self.snapshot("one", slot: 2)])
        let own = [one: Look.Outcome.success([Self.snapshot("one", slot: 1), Self.snapshot("one", slot: 2)])]
        #expect(WorkerSightings.merged(listing, own).sighting.tokens.map(\.slotID) == [1, 2])
    }

    @Test("An earlier look stands in while a touch is awaited, or for a token that hangs and has had no login since")
    func substitutes() {
        var sightings = WorkerSightings()
        #expect(sightings.substitute(for: one, isTouchAwaited: true, waited: 9000) == nil)
        sightings.noteListing([Self.snapshot("one", slot: 7)])
        #expect(sightings.slot(of: one) == 7 && sightings.showsOnly(one) && !sightings.showsOnly(two))
        #expect(sightings.substitute(for: one, isTouchAwaited: true, waited: 0)?.count == 1)
        #expect(sightings.substitute(for: one, isTouchAwaited: false, waited: 9000) == nil)
        sightings.note(.success([Self.snapshot("one", isLoggedIn: true)]), of: one)
        #expect(sightings.substitute(for: one, isTouchAwaited: false, waited: 1999) == nil)
        #expect(sightings.substitute(for: one, isTouchAwaited: false, waited: 2000)?.first?.isLoggedIn == true)
        sightings.outdate(one)
        #expect(sightings.substitute(for: one, isTouchAwaited: false, waited: 9000) == nil)
        #expect(sightings.substitute(for: one, isTouchAwaited: true, waited: 0)?.first?.isLoggedIn == true)
        sightings.note(.failure(.stopped), of: one)
        #expect(sightings.substitute(for: one, isTouchAwaited: false, waited: 9000)?.first?.isLoggedIn == false)
    }

    @Test("A listing decides which workers end, and which one lists from then on")
    func arrangements() {
        let rows:
            [(
                listed: [TokenDescription], workers: Set<TokenDescription>, lister: TokenDescription?,
                gone: Set<TokenDescription>, WorkerSightings.Arrangement.Lister
            )] = [
                ([one], [one], one, [], .unchanged),
                // A second token: the worker stays with the first one.
                ([one, two], [one], one, [], .new),
                // One token is left, and has a worker of its own.
                ([one], [one, two], nil, [two], .worker(of: one)),
                ([one], [one], nil, [], .worker(of: one)),
                // Another card in the place of the one whose worker lists.
                ([two], [one], one, [one], .new),
                // Nothing is left: the worker that lists answers, and stays.
                ([], [one], one, [], .unchanged),
                ([], [one, two], nil, [one, two], .unchanged),
                ([one, two], [one, two], nil, [], .unchanged),
                ([three], [], nil, [], .unchanged),
            ]
        for row in rows {
            let made = WorkerSightings.arrangement(listed: row.listed, workers: row.workers, lister: row.lister)
            #expect(made == .init(gone: row.gone, lister: row.4), "\(row)")
        }
    }
}
