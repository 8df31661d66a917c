import AgentAPI
import Tokens
import UTCTime

extension ProfileStatus.NextGesture {
    /// The gesture that a person will be asked for, and when at the earliest; nil if sessions need no person.
    ///
    /// - Parameter nextNeeded: When the next signature is asked for if not before, in seconds since 1970; nil: it can be
    ///   asked for now.
    init?(_ token: FoundToken, alwaysAuthenticates: Bool, nextNeeded: Int64?, at now: Moment) {
        let present = now.wall / 1000
        let due = max(nextNeeded ?? present, present)
        let each = Gesture(
            eachSignatureBy: token.rule, flags: token.snapshot.flags, alwaysAuthenticates: alwaysAuthenticates)
        if token.isLocked {
            self.init(.pin, due)
        } else if let each {
            self.init(each, due)
        } else if token.hasStoredPIN || !token.snapshot.flags.contains(.loginRequired) {
            return nil
        } else if !token.snapshot.isLoggedIn {
            self.init(.pin, due)
        } else if let loginEnds = token.loginEnds {
            self.init(.pin, max(due, (now.wall + loginEnds - now.boot) / 1000))
        } else {
            return nil
        }
    }

    private init(_ gesture: Gesture, _ due: Int64) {
        self.init(kind: gesture == .touch ? .touch : .pin, due: "\(UTCTime(secondsSince1970: due))")
    }
}
