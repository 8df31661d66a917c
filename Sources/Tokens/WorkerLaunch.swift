import ModuleFiles

/// What a worker process is made of.
struct WorkerLaunch: Sendable {
    var executable: String
    var deadlines: CallDeadlines
    /// The user's home folder; nil for the system agent.
    var home: String?
    /// The agent's folders, which no module changes.
    var ownFolders: [String] = []
    /// Where the cards go that it leaves logged in.
    var abandonedCards: AbandonedCards
    var start = WorkerStart.processes
}

/// How long each call may take once it has begun, in milliseconds. What waits for its turn is not counted.
struct CallDeadlines: Sendable {
    var load: Int64 = 15_000
    var list: Int64
    var logIn: Int64
    var sign: Int64
    /// What a person confirms on the token.
    var touch: Int64
    /// What a person types on the reader's keypad: twice the time of a touch.
    var keypad: Int64
    /// After this, the worker is ended: that logs out as well, and a lock is to be done within a second.
    let logOut: Int64 = 600

    init(_ timeouts: ModuleConfiguration.Timeouts) {
        list = Int64(timeouts.list) * 1000
        logIn = Int64(timeouts.login) * 1000
        sign = Int64(timeouts.sign) * 1000
        touch = Int64(timeouts.touch) * 1000
        keypad = 2 * touch
    }
}
