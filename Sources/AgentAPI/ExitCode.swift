/// The exit codes of every client: sysexits(3), and two of our own above them.
package enum ExitCode: Int32, Sendable {
    case done = 0
    /// The command line is wrong (EX_USAGE).
    case usage = 64
    /// No such token, certificate or key (EX_NOINPUT).
    case noInput = 66
    /// The agent cannot be reached (EX_UNAVAILABLE).
    case unavailable = 69
    /// A fault of ours (EX_SOFTWARE).
    case software = 70
    /// Try later: throttled, upstream down, token busy (EX_TEMPFAIL).
    case temporaryFailure = 75
    /// Refused: by policy, or AWS denied access (EX_NOPERM).
    case noPermission = 77
    /// Configuration, or an unknown profile (EX_CONFIG).
    case configuration = 78
    /// The token needs its PIN, and none could be asked for.
    case pinNeeded = 80
    /// The token is gone, or its PIN is blocked.
    case tokenGone = 81
}
