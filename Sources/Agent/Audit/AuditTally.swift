import AgentAPI
import NIOCore

/// Counts the records of one kind: the first is written at once, then one in a period at most, which says how many others
/// it stands for.
struct AuditTally {
    /// Records that stand for each other.
    enum Kind: Hashable {
        /// Connections of users who match no `allow` rule, all together.
        case denied
        /// Connections of the agent's own workers.
        case attack
        /// Answers alike to one user.
        case answer(
            uid: UInt32, listener: String?, route: Route.Action?, profile: ProfileName?, status: Int,
            problem: Problem.Code?, accessKeyID: String?)
    }

    private struct Kept {
        var written: NIODeadline
        var uid: UInt32
        /// The one to write next, which stands for the others.
        var pending: AuditRecord?
        var others = 0
    }

    private let period: TimeAmount
    private var kept: [Kind: Kept] = [:]

    init(milliseconds: Int64) { period = .milliseconds(milliseconds) }

    /// - Returns: The record to write; nil where it is counted.
    mutating func note(_ record: AuditRecord, as kind: Kind, at now: NIODeadline) -> AuditRecord? {
        guard var last = kept[kind] else {
            kept[kind] = Kept(written: now, uid: record.peer.uid)
            return record
        }
        if let pending = last.pending {
            last.others += 1
            // Many records of one user do not hide another's.
            if record.peer.uid != last.uid || pending.peer.uid == last.uid { last.pending = record }
        } else {
            last.pending = record
        }
        kept[kind] = last
        guard now - last.written >= period else { return nil }
        return write(kind, at: now)
    }

    /// The records whose period is over. Forgets kinds that are quiet.
    mutating func due(at now: NIODeadline) -> [AuditRecord] {
        let over = kept.filter { now - $0.value.written >= period }.map(\.key)
        return over.compactMap { write($0, at: now) }
    }

    /// All that is not written yet.
    mutating func rest() -> [AuditRecord] { kept.keys.compactMap { write($0, at: .distantFuture) } }

    /// When `due` has something to do next; nil when nothing is kept.
    var nextDue: NIODeadline? { kept.values.map(\.written).min().map { $0 + period } }

    private mutating func write(_ kind: Kind, at now: NIODeadline) -> AuditRecord? {
        guard let last = kept[kind], var record = last.pending else {
            kept[kind] = nil
            return nil
        }
        record.others = last.others
        kept[kind] = Kept(written: now, uid: record.peer.uid)
        return record
    }
}

extension AuditTally.Kind {
    /// - Parameter isKnown: Whether there is such a profile: names that a peer makes up are one kind.
    init(_ record: AuditRecord, isKnown: (ProfileName) -> Bool) {
        self = .answer(
            uid: record.peer.uid, listener: record.listener, route: record.route,
            profile: record.profile.flatMap { isKnown($0) ? $0 : nil },
            status: record.status, problem: record.problem, accessKeyID: record.issued?.accessKeyID)
    }
}
