import Testing
import Tokens

@testable import Agent

/// `lock-on`, and who may end which lock.
struct LockEventTests {
    @Test(
        "lock-on takes the events that there are",
        arguments: [
            ("", nil), ("lock-on = []", []), ("lock-on = ['suspend']", [.suspend]),
            (
                "lock-on = ['suspend', 'screen-lock', 'session-end', 'removal', 'removal']",
                [.suspend, .screenLock, .sessionEnd, .removal]
            ),
        ] as [(String, Set<LockEvent>?)])
    func reading(_ text: String, _ expected: Set<LockEvent>?) throws {
        #expect(try ConfigurationFolder(text).load().lockOn == expected)
    }

    @Test(
        "Anything else is refused",
        arguments: [
            FaultCase(
                "lock-on = ['sleep']",
                "config.toml:1: lock-on has \"sleep\"; it takes suspend, screen-lock, session-end, removal"),
            FaultCase("lock-on = [\n true ]", "config.toml:2: lock-on is a boolean; give a string"),
            FaultCase("lock-on = 'suspend'", "config.toml:1: lock-on is a string; give an array"),
            FaultCase(
                "locks-on = []", "config.toml:1: unknown key \"locks-on\" in the file; did you mean \"lock-on\"?"),
        ])
    func refusal(_ row: FaultCase) throws {
        #expect(try ConfigurationFolder(row.text).faults() == row.faults)
    }

    @Test("A system agent locks on no event; a user's locks on all but the screen")
    func usual() {
        #expect(LockEvent.usual(for: .system) == [])
        #expect(LockEvent.usual(for: .user) == [.suspend, .sessionEnd, .removal])
    }
}
