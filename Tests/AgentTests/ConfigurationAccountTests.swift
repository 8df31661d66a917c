import Foundation
import Testing

@testable import Agent

struct ConfigurationAccountTests {
    @Test("The system knows root by name, and knows no user by a name that no system has")
    func system() {
        let accounts = AccountDirectory.system
        #expect(accounts.ownUser == geteuid())
        #expect(accounts.user("root") == 0)
        #expect(accounts.group("root") == 0)
        for name in ["", "no-such-user-here", "root:x", "0", String(repeating: "a", count: 10_000)] {
            #expect(accounts.user(name) == nil)
            #expect(accounts.group(name) == nil)
        }
    }
}
