import Testing

@testable import Agent

struct NearestNameTests {
    private static let known = ["path", "name", "environment", "sessions", "role-arn", "role-session-name"]

    @Test(
        "The nearest name is a few slips away, or a part of it",
        arguments: [
            ("sessions", "sessions"), ("session", "sessions"), ("sessoins", "sessions"), ("Sessions", "sessions"),
            ("pth", "path"), ("nmae", "name"), ("enviroment", "environment"), ("environ", "environment"),
            ("role_arn", "role-arn"), ("role", "role-arn"), ("session-name", "role-session-name"), ("xyzzy", nil),
            ("", nil), (String(repeating: "p", count: 65), nil),
        ])
    func nearest(_ typed: String, _ meant: String?) {
        #expect(nearestName(to: typed, among: Self.known) == meant)
    }
}
