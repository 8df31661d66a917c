/// How a program ends, for scripts: codes of sysexits(3), and two of our own above them.
///
/// | code | meaning                           | code | meaning                                              |
/// |------|-----------------------------------|------|------------------------------------------------------|
/// | 0    | done                              | 75   | try later: throttled, upstream down, token busy      |
/// | 64   | usage                             | 77   | refused: policy, or AWS denied access                |
/// | 66   | no such token, certificate or key | 78   | configuration, unknown profile                       |
/// | 69   | the agent cannot be reached       | 80   | the token needs its PIN, and none could be asked for |
/// | 70   | a fault of ours                   | 81   | the token is gone, or its PIN is blocked             |
package enum ExitCode: Int32, Sendable {
    case done = 0
    case usage = 64  // EX_USAGE
    case noInput = 66  // EX_NOINPUT
    case unavailable = 69  // EX_UNAVAILABLE
    case software = 70  // EX_SOFTWARE
    case temporaryFailure = 75  // EX_TEMPFAIL
    case noPermission = 77  // EX_NOPERM
    case configuration = 78  // EX_CONFIG
    case pinNeeded = 80
    case tokenGone = 81
}
