import ModuleFiles
import PKCS11URI
import Testing
import TokenService

@testable import Tokens

@Suite("What each module showed last")
struct SightingsTests {
    private static func snapshot(_ name: String, slot: UInt64 = 0) -> TokenSnapshot {
        TokenSnapshot(
            slotID: slot,
            token: TokenDescription(label: Array(name.utf8), manufacturer: [], model: [], serial: []), flags: [],
            isLoggedIn: false, pinLength: 4...8, certificates: [], keys: [])
    }

    private static func sights(_ names: String..., module: String = "a") -> Set<TokenSighting> {
        Set(names.map { TokenSighting(snapshot($0), of: ModuleIdentity(path: module)) })
    }

    private static func key(_ name: String, module: String = "a") -> TokenKey {
        TokenKey(module: ModuleIdentity(path: module), token: snapshot(name).token)
    }

    private static let a = ModuleIdentity(path: "a")
    private static let b = ModuleIdentity(path: "b")

    private var sightings = Sightings()

    @Test("A card inserted during a look is not taken for removed when that look ends")
    mutating func overlap() {
        let (older, newer) = (sightings.begin(), sightings.begin())
        _ = sightings.note(Self.sights("card"), of: Self.a, look: newer, isAnswer: true)
        #expect(sightings.note([], of: Self.a, look: older, isAnswer: true) == .init())
        #expect(sightings.present == [Self.key("card"): 0])
        #expect(sightings.tokens(of: Self.a) == Self.sights("card"))
        // An older look at another module counts: nothing later is known of that one.
        _ = sightings.note(Self.sights("other", module: "b"), of: Self.b, look: older, isAnswer: true)
        #expect(sightings.present.count == 2)
    }

    @Test("What is seen first is no news; what is seen otherwise is, and says what has gone")
    mutating func changes() {
        let names: [[String]] = [["one", "two"], ["one", "two"], ["one"], ["one", "three"], []]
        var seen: [(isNews: Bool, removed: Set<TokenKey>)] = []
        for names in names {
            let sights = Set(names.map { TokenSighting(Self.snapshot($0), of: Self.a) })
            let change = sightings.note(sights, of: Self.a, look: sightings.begin(), isAnswer: true)
            seen.append((change.isNews, Set(change.removed.keys)))
        }
        #expect(seen.map(\.isNews) == [false, false, true, true, true])
        #expect(seen.map(\.removed) == [[], [], [Self.key("two")], [], [Self.key("one"), Self.key("three")]])
    }

    @Test("A module that does not answer has lost no token")
    mutating func outage() {
        _ = sightings.note(Self.sights("card"), of: Self.a, look: sightings.begin(), isAnswer: true)
        #expect(sightings.note([], of: Self.a, look: sightings.begin(), isAnswer: false) == .init(isNews: true))
        #expect(sightings.present == [Self.key("card"): 0])
        let change = sightings.note([], of: Self.a, look: sightings.begin(), isAnswer: true)
        #expect(change.removed == [Self.key("card"): 0])
    }

    @Test("Nothing is kept of a module that is configured no longer, and its tokens are gone")
    mutating func removedModule() {
        for module in [Self.a, Self.b] {
            let look = sightings.begin()
            _ = sightings.note(Self.sights("card", module: module.path), of: module, look: look, isAnswer: true)
            sightings.remember([Self.snapshot("card")], of: module, look: look)
        }
        #expect(sightings.keep(only: [Self.b, ModuleIdentity(path: "c")]) == [Self.key("card"): 0])
        #expect(sightings.present == [Self.key("card", module: "b"): 0])
        #expect(sightings.tokens(of: Self.a).isEmpty)
        #expect(sightings.snapshots(of: Self.a).isEmpty)
        #expect(sightings.snapshots(of: Self.b) == [Self.snapshot("card")])
    }

    @Test("A look that began with a module's former settings does not count")
    mutating func otherSettings() {
        let first = sightings.begin()
        _ = sightings.note(Self.sights("card"), of: Self.a, look: first, isAnswer: true)
        sightings.remember([Self.snapshot("card")], of: Self.a, look: first)
        let old = sightings.begin()
        sightings.beginAnew(Self.a)
        #expect(sightings.snapshots(of: Self.a).isEmpty)
        _ = sightings.note([], of: Self.a, look: old, isAnswer: true)
        #expect(sightings.present == [Self.key("card"): 0])
        let change = sightings.note([], of: Self.a, look: sightings.begin(), isAnswer: true)
        #expect(change.removed == [Self.key("card"): 0])
    }
}
