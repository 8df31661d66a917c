/// Credentials that this emulator has handed out, and whose they are.
struct IssuedSession: Sendable {
    let accessKeyID: String
    let secretAccessKey: String
    let sessionToken: String
    let grant: SessionGrant

    /// Shaped like the real ones: `ASIA` and 16 characters, 40 characters, some 600 characters.
    init(_ grant: SessionGrant) {
        accessKeyID = "ASIA" + AccessKeyAlphabet.encode(RandomBytes.make(16))
        secretAccessKey = Base64.encode(RandomBytes.make(30))
        sessionToken = Base64.encode(RandomBytes.make(450))
        self.grant = grant
    }
}

/// The sessions that STS answers for. The oldest goes when there are too many.
struct SessionTable {
    private var sessions: [String: IssuedSession] = [:]
    private var order: [String] = []
    private let capacity = 20_000

    subscript(accessKeyID: String) -> IssuedSession? { sessions[accessKeyID] }

    mutating func insert(_ session: IssuedSession) {
        sessions[session.accessKeyID] = session
        order.append(session.accessKeyID)
        guard order.count > capacity else { return }
        for key in order.prefix(capacity / 2) { sessions[key] = nil }
        order.removeFirst(capacity / 2)
    }
}
