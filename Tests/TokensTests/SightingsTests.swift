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

    private mutating func note(_ names: [String], of module: ModuleIdentity, look: UInt64? = nil, isAnswer: Bool = true)
        -> Sightings.Change
    {
        let look = look ?? sightings.begin()
        return sightings.note(
            names.map { Self.snapshot($0) }, of: module, in: ModuleDescription(path: module.path), look: look,
            isAnswer: isAnswer)
    }

    private var present: Set<TokenKey> { Set(sightings.present.keys) }

    private static func key(_ name: String, module: String = "a") -> TokenKey {
        TokenKey(module: ModuleIdentity(path: module), token: snapshot(name).token)
    }

    private static let a = ModuleIdentity(path: "a")
    private static let b = ModuleIdentity(path: "b")

    private var sightings = Sightings()

    @Test("A card inserted during a look is not taken for removed when that look ends")
    mutating func overlap() {
        let (older, newer) = (sightings.begin(), sightings.begin())
        _ = note(["card"], of: Self.a, look: newer)
        #expect(note([], of: Self.a, look: older) == .init())
        #expect(present == [Self.key("card")] && sightings.present[Self.key("card")]?.module?.path == "a")
        #expect(sightings.tokens(of: Self.a).map(\.key) == [Self.key("card")])
        // An older look at another module counts: nothing later is known of that one.
        _ = note(["other"], of: Self.b, look: older)
        #expect(present.count == 2)
    }

    @Test("What is seen first is no news; what is seen otherwise is, and says what has gone")
    mutating func changes() {
        let names: [[String]] = [["one", "two"], ["one", "two"], ["one"], ["one", "three"], []]
        let seen = names.map { note($0, of: Self.a) }
        #expect(seen.map(\.isNews) == [false, false, true, true, true])
        #expect(seen.map(\.removed) == [[], [], [Self.key("two")], [], [Self.key("one"), Self.key("three")]])
    }

    @Test("A module that does not answer has lost no token")
    mutating func outage() {
        _ = note(["card"], of: Self.a)
        #expect(note([], of: Self.a, isAnswer: false) == .init(isNews: true))
        #expect(present == [Self.key("card")] && sightings.snapshots(of: Self.a) == [Self.snapshot("card")])
        #expect(note([], of: Self.a).removed == [Self.key("card")])
    }

    @Test("Nothing is kept of a module that is configured no longer, and its tokens are gone")
    mutating func removedModule() {
        for module in [Self.a, Self.b] { _ = note(["card"], of: module) }
        #expect(sightings.keep(only: [Self.b, ModuleIdentity(path: "c")]) == [Self.key("card")])
        #expect(present == [Self.key("card", module: "b")])
        #expect(sightings.tokens(of: Self.a).isEmpty)
        #expect(sightings.snapshots(of: Self.a).isEmpty)
        #expect(sightings.snapshots(of: Self.b) == [Self.snapshot("card")])
    }

    @Test("A look that began with a module's former settings does not count")
    mutating func otherSettings() {
        _ = note(["card"], of: Self.a)
        let old = sightings.begin()
        sightings.beginAnew(Self.a)
        #expect(sightings.snapshots(of: Self.a).isEmpty)
        _ = note([], of: Self.a, look: old)
        #expect(present == [Self.key("card")])
        #expect(note([], of: Self.a).removed == [Self.key("card")])
    }

    @Test("A refusal of RSA-PSS stands against what the token lists, until it goes or its module is set anew")
    mutating func refusedPSS() {
        func havePSS(_ name: String) -> Bool {
            var snapshot = Self.snapshot(name)
            snapshot.hasPSS = true
            return sightings.havePSS(Self.key(name), snapshot)
        }
        _ = note(["card", "other"], of: Self.a)
        #expect(!sightings.havePSS(Self.key("card"), Self.snapshot("card")))  // lists none
        let areNew = [sightings.noteRefusedPSS(Self.key("card")), sightings.noteRefusedPSS(Self.key("card"))]
        #expect(areNew == [true, false])
        _ = note(["card", "other"], of: Self.a)
        #expect(!havePSS("card") && havePSS("other"))
        _ = note([], of: Self.a, isAnswer: false)
        #expect(!havePSS("card"))
        _ = note(["other"], of: Self.a)
        #expect(havePSS("card"))
        _ = sightings.noteRefusedPSS(Self.key("card"))
        sightings.beginAnew(Self.a)
        #expect(havePSS("card"))
    }
}
