import Glibc
package import Logging
import PlainText
import UTCTime

/// swift-log to a line on standard error, which systemd hands to the journal.
package struct AgentLogHandler: LogHandler {
    package enum Style: Sendable {
        /// `<6>text`: the journal takes the number as the priority (sd-daemon(3)) and knows the time itself.
        case journal
        /// `2026-11-21T10:00:00Z info: text`.
        case plain
    }

    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let queue: LogQueue
    private let style: Style
    private let now: @Sendable () -> Int64

    /// - Parameter now: Seconds since 1970, for the plain style.
    package init(
        queue: LogQueue, style: Style, level: Logger.Level = .info,
        now: @escaping @Sendable () -> Int64 = { Int64(time(nil)) }
    ) {
        self.queue = queue
        logLevel = level
        self.style = style
        self.now = now
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var text = "\(event.message)"
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { text += " \(LogField(key: key, value: "\(value)"))" }
        if let error = event.error { text += " \(LogField(key: "error", value: "\(error)"))" }
        append(event.level) { [text] in text }
    }

    /// Appends a line whose text is made on the log's own thread.
    package func append(_ level: Logger.Level, text: @escaping @Sendable () -> String) {
        let (style, time) = (style, now())
        queue.append(isVital: level >= .notice) {
            var line =
                switch style {
                case .journal: "<\(level.priority)>"
                case .plain: "\(UTCTime(secondsSince1970: time)) \(level): "
                }
            line += PlainText.log(text(), longest: Self.longest)  // one message is one line, and moves no cursor
            return line + "\n"
        }
    }

    /// The longest text, in characters: journald cuts lines at 48 KiB.
    private static let longest = 8192
}

extension AgentLogHandler.Style {
    /// The journal's style when systemd says that standard error goes there (`JOURNAL_STREAM`, systemd.exec(5)).
    package init(environment: [String: String]) {
        self = environment["JOURNAL_STREAM"].map { !$0.isEmpty } ?? false ? .journal : .plain
    }
}

extension Logger.Level {
    /// The priority of syslog(3).
    fileprivate var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
