import Testing

@testable import Logind

struct UserSessionsTests {
    private static let one = UserSessions(open: ["1"])
    private static let locked = UserSessions(open: ["1"], isLocked: true)
    private static let none = UserSessions()

    @Test(
        "What changes in a user's sessions is told once",
        arguments: [
            (one, one, []),
            (none, one, []),
            (one, UserSessions(open: ["2"]), []),
            (one, UserSessions(open: ["1", "2"]), []),
            (UserSessions(open: ["1", "2"]), one, []),
            (one, none, [.sessionEnded]),
            (none, none, []),
            (one, locked, [.screenLocked]),
            (none, locked, [.screenLocked]),
            (locked, locked, []),
            (locked, one, [.screenUnlocked]),
            (locked, none, [.screenUnlocked, .sessionEnded]),
        ] as [(UserSessions, UserSessions, [SessionEvent])])
    func events(before: UserSessions, after: UserSessions, expected: [SessionEvent]) {
        #expect(after.events(since: before) == expected)
    }
}
