import PKCS11URI
import Testing

@testable import Agent

struct LoginPaceTests {
    private static func token(_ label: String) -> TokenDescription {
        TokenDescription(label: Array(label.utf8), manufacturer: [], model: [], serial: [])
    }

    @Test("A token rests for two seconds after a PIN, and another does not")
    func pace() {
        var pace = LoginPace()
        #expect(pace.rest(for: Self.token("one"), at: 500) == 0)
        pace.note(Self.token("one"), at: 1000)
        #expect([1000, 2500, 3000, 9000].map { pace.rest(for: Self.token("one"), at: $0) } == [2000, 500, 0, 0])
        #expect(pace.rest(for: Self.token("other"), at: 1000) == 0)
    }
}
