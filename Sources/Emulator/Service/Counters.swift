/// What `/_emulator/counters` tells.
struct Counters: Encodable, Sendable {
    var connections = 0
    var tlsHandshakes = 0
    /// Every POST to /sessions, whatever came of it.
    var createSessionRequests = 0
    var sessionsCreated = 0
    /// By error code, CreateSession and STS together.
    var refused: [String: Int] = [:]
    var stsCalls = 0
    var faults = 0
    /// Requests to the place that the fault `redirect` points to.
    var redirectsFollowed = 0
}
