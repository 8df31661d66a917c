import NIOCore

/// The connections of peers that may ask for nothing: anybody on the machine can open them, so there are few at a time,
/// and few lines in the log about them.
struct DeniedPeers {
    private let limits: ServerLimits
    private var connections: [UInt32: Int] = [:]
    private var count = 0
    private var told: [UInt32: Told] = [:]

    private struct Told {
        var last: NIODeadline
        var newest: Line
        var untold = 0
    }

    /// A line for the log.
    struct Line {
        var peer: Peer
        var decision: Policy.Decision
        /// How many connections it stands for besides its own.
        var others = 0
    }

    init(limits: ServerLimits) { self.limits = limits }

    /// Counts a connection in, until `leave`.
    ///
    /// - Returns: Whether there is room to tell the peer why it is refused.
    mutating func enter(_ peer: Peer) -> Bool {
        connections[peer.uid, default: 0] += 1
        count += 1
        return count <= limits.denied && connections[peer.uid, default: 0] <= limits.deniedPerUser
    }

    mutating func leave(_ peer: Peer) {
        guard let own = connections[peer.uid] else { return }
        connections[peer.uid] = own > 1 ? own - 1 : nil
        count -= 1
    }

    /// - Parameter line: The connection's own.
    /// - Returns: The line to write; nil where its user had one just before.
    mutating func tell(_ line: Line, at now: NIODeadline) -> Line? {
        let last = told[line.peer.uid]
        if let last, !isOver(last, now) {
            told[line.peer.uid] = Told(last: last.last, newest: line, untold: last.untold + 1)
            return nil
        }
        var line = line
        line.others = last?.untold ?? 0
        told[line.peer.uid] = Told(last: now, newest: line)
        return line
    }

    /// The lines for connections that had none, for users whose pause is over. Forgets the users that are quiet.
    mutating func due(at now: NIODeadline) -> [Line] {
        var lines: [Line] = []
        for (uid, last) in told where isOver(last, now) {
            guard last.untold > 0 else {
                told[uid] = nil
                continue
            }
            var line = last.newest
            line.others = last.untold - 1
            lines.append(line)
            told[uid] = Told(last: now, newest: line)
        }
        return lines
    }

    /// Whether `due` will have nothing more to do.
    var isQuiet: Bool { told.isEmpty }

    private func isOver(_ told: Told, _ now: NIODeadline) -> Bool {
        now - told.last >= .milliseconds(limits.deniedLineMilliseconds)
    }
}
