import Testing

@testable import Logind

struct SessionSightTests {
    private static let one = SessionSight(open: ["1"])
    private static let locked = SessionSight(open: ["1"], isLocked: true)
    private static let none = SessionSight()

    @Test(
        "What changes in a user's sessions is told once",
        arguments: [
            (one, one, []),
            (none, one, []),
            (one, SessionSight(open: ["2"]), []),
            (one, SessionSight(open: ["1", "2"]), []),
            (SessionSight(open: ["1", "2"]), one, []),
            (one, none, [.sessionEnded]),
            (none, none, []),
            (one, locked, [.screenLocked]),
            (none, locked, [.screenLocked]),
            (locked, locked, []),
            (locked, one, [.screenUnlocked]),
            (locked, none, [.screenUnlocked, .sessionEnded]),
        ] as [(SessionSight, SessionSight, [SessionEvent])])
    func events(before: SessionSight, after: SessionSight, expected: [SessionEvent]) {
        #expect(after.events(since: before) == expected)
    }
}
