import PKCS11URI
import Testing
import TokenService

struct LoginPaceTests {
    private static func token(_ label: String) -> TokenDescription {
        TokenDescription(label: Array(label.utf8), manufacturer: [], model: [], serial: [])
    }

    @Test("A token rests for a tenth of a second after a right PIN, and another does not")
    func right() {
        var pace = LoginPace()
        #expect(pace.rest(for: Self.token("one"), at: 500) == 0)
        pace.note(Self.token("one"), isTaken: true, at: 1000)
        #expect([1000, 1050, 1100, 9000].map { pace.rest(for: Self.token("one"), at: $0) } == [100, 50, 0, 0])
        #expect(pace.rest(for: Self.token("other"), at: 1000) == 0)
    }

    @Test("Wrong PINs in a row make it rest for two seconds, then longer, up to ten, until a right one")
    func wrong() {
        var pace = LoginPace()
        var rests: [Int64] = []
        for now in 0..<6 as Range<Int64> {
            pace.note(Self.token("one"), isTaken: false, at: now)
            rests.append(pace.rest(for: Self.token("one"), at: now))
        }
        #expect(rests == [2000, 4000, 8000, 10_000, 10_000, 10_000])
        pace.note(Self.token("one"), isTaken: true, at: 9)
        pace.note(Self.token("one"), isTaken: false, at: 10)
        #expect(pace.rest(for: Self.token("one"), at: 10) == 2000)
    }

    @Test("It never ends, however many wrong ones there are")
    func many() {
        var pace = LoginPace()
        for now in 0..<1000 as Range<Int64> { pace.note(Self.token("one"), isTaken: false, at: now) }
        #expect(pace.rest(for: Self.token("one"), at: 999) == 10_000)
    }
}
