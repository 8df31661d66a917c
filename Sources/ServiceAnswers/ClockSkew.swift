import UTCTime

/// How far the clock of this machine and that of a service are apart.
package struct ClockSkew: Hashable, Sendable {
    /// This machine's time less the service's, in seconds: positive where this machine is ahead.
    package let seconds: Int64

    /// - Parameters:
    ///   - dateHeader: The answer's Date (RFC 9110 §6.6.1); believe it only if TLS was verified.
    ///   - now: This machine's time in seconds since 1970 when the answer arrived.
    /// - Returns: `nil` if the header is not an IMF-fixdate.
    package init?(dateHeader: String, now: Int64) {
        guard let theirs = UTCTime(httpDate: dateHeader)?.secondsSince1970 else { return nil }
        let (difference, overflow) = now.subtractingReportingOverflow(theirs)
        guard !overflow else { return nil }
        seconds = difference
    }

    /// More than a minute, which neither the network nor rounding explains.
    package var isSignificant: Bool { seconds.magnitude > 60 }

    /// `the clock is 7 minutes slow`, `… 90 seconds fast`, `… 3 days slow`.
    package var message: String {
        let magnitude = seconds.magnitude
        let (count, unit) =
            switch magnitude {
            case ..<120: (magnitude, "second")
            case ..<7200: (magnitude / 60, "minute")
            case ..<172_800: (magnitude / 3600, "hour")
            default: (magnitude / 86_400, "day")
            }
        return "the clock is \(count) \(unit)\(count == 1 ? "" : "s") \(seconds < 0 ? "slow" : "fast")"
    }

    /// The remedy of a refusal that the skew explains; nil for a skew that explains none.
    package var hint: String? {
        isSignificant ? "\(message) by the service's Date: set it (timedatectl, chronyc)" : nil
    }
}
