import AgentAPI
import ModuleFiles
import PKCS11URI
import Testing
import TokenService
import UTCTime

@testable import Agent
@testable import Tokens

@Suite("What a token wants from a person, and when")
struct GestureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var source: TokenRule.PINSource = .prompt
        var lifetime = 28_800
        var touch = false
        var always = false
        var flags: TokenFlags = .loginRequired
        var each: Gesture?
        var testDescription: String { "\(source), \(lifetime) s, touch \(touch), always \(always)" }

        var rule: TokenRule {
            get throws {
                TokenRule(uri: try PKCS11URI("pkcs11:"), pinSource: source, pinLifetimeSeconds: lifetime, touch: touch)
            }
        }
    }

    static let cases = [
        Case(), Case(always: true), Case(lifetime: 0, each: .pin), Case(lifetime: 0, always: true, each: .pin),
        Case(touch: true, each: .touch), Case(lifetime: 0, touch: true, each: .touch),
        Case(source: .file("/pin"), lifetime: 0, always: true), Case(source: .credential("pin"), lifetime: 0),
        Case(source: .file("/pin"), touch: true, each: .touch), Case(source: .protected),
        Case(source: .protected, always: true, each: .pin), Case(source: .protected, lifetime: 0, each: .pin),
        Case(lifetime: 0, flags: []), Case(source: .protected, always: true, flags: []),
        Case(touch: true, flags: [], each: .touch),
    ]

    @Test(
        "A signature takes a person where a PIN lasts for one, a keypad is asked each time, or a touch is",
        arguments: cases)
    func eachSignature(row: Case) throws {
        let gesture = Gesture(eachSignatureBy: try row.rule, flags: row.flags, alwaysAuthenticates: row.always)
        #expect(gesture == row.each)
    }

    @Test("A token without a rule keeps its login, so that no signature takes a person", arguments: [false, true])
    func noRule(always: Bool) {
        #expect(Gesture(eachSignatureBy: nil, flags: .loginRequired, alwaysAuthenticates: always) == nil)
    }

    // The clocks stand at 1,000,000 s since 1970 and 5,000 s since boot.
    private static let now = Moment(wall: 1_000_000_000, boot: 5_000_000)

    private func next(
        _ row: Case, isLoggedIn: Bool = true, isLocked: Bool = false, loginEnds: Int64? = nil, nextNeeded: Int64? = nil
    ) throws -> ProfileStatus.NextGesture? {
        let description = TokenDescription(label: [], manufacturer: [], model: [], serial: [])
        let token = FoundToken(
            module: ModuleIdentity(path: "/m.so"), shownModule: "/m.so", located: LocatedToken(description),
            snapshot: TokenSnapshot(
                slotID: 0, token: description, flags: row.flags, isLoggedIn: isLoggedIn, pinLength: 4...8,
                certificates: [], keys: []),
            isLocked: isLocked, isBlocked: false, rule: try row.rule, loginEnds: loginEnds,
            uri: PKCS11URI(token: description))
        return ProfileStatus.NextGesture(
            token, alwaysAuthenticates: row.always, nextNeeded: nextNeeded, at: Self.now)
    }

    private func gesture(_ kind: ProfileStatus.NextGesture.Kind, _ second: Int64) -> ProfileStatus.NextGesture {
        ProfileStatus.NextGesture { ($0.kind, $0.due) = (Word(kind), "\(UTCTime(secondsSince1970: second))") }
    }

    @Test("Nothing is due where the PIN is stored, or none is wanted")
    func nothing() throws {
        #expect(try next(Case(source: .file("/pin"), always: true), isLoggedIn: false) == nil)
        #expect(try next(Case(flags: []), isLoggedIn: false) == nil)
    }

    @Test("A touch is due when the session falls below what is handed out, or now where there is none")
    func touch() throws {
        #expect(try next(Case(touch: true)) == gesture(.touch, 1_000_000))
        #expect(try next(Case(touch: true), nextNeeded: 1_000_700) == gesture(.touch, 1_000_700))
        #expect(try next(Case(touch: true), nextNeeded: 900_000) == gesture(.touch, 1_000_000))
    }

    @Test("A PIN is due when the login has ended and a signature is needed, whichever comes last")
    func pin() throws {
        #expect(try next(Case(), isLoggedIn: false) == gesture(.pin, 1_000_000))
        #expect(try next(Case(), isLoggedIn: false, nextNeeded: 1_000_700) == gesture(.pin, 1_000_700))
        #expect(try next(Case(), loginEnds: 5_900_000, nextNeeded: 1_000_700) == gesture(.pin, 1_000_900))
        #expect(try next(Case(), loginEnds: 5_100_000, nextNeeded: 1_000_700) == gesture(.pin, 1_000_700))
        #expect(try next(Case(lifetime: 0), nextNeeded: 1_000_700) == gesture(.pin, 1_000_700))
    }

    @Test("A locked token wants its PIN, stored or not")
    func locked() throws {
        #expect(try next(Case(source: .file("/pin")), isLocked: true) == gesture(.pin, 1_000_000))
    }
}
