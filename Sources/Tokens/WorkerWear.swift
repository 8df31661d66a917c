import Files
import Glibc

/// What a worker has been through: modules leak, so a process that has served long enough makes room for another.
struct WorkerWear: Hashable, Sendable {
    /// In milliseconds of boot time.
    var startedAt: Int64
    var operations = 0
    private var nextLook: Int64 = .min

    init(startedAt: Int64, operations: Int = 0) {
        self.startedAt = startedAt
        self.operations = operations
    }

    static let longestLife: Int64 = 24 * 3600 * 1000
    static let mostOperations = 10_000
    static let mostMemory = 128 << 20

    /// Whether to look now: to read how much memory a process has takes as long as half a signature. After each of the first
    /// answers, which show whether a call leaks a lot, and then once a second.
    mutating func isToBeLookedAt(at now: Int64) -> Bool {
        guard now >= nextLook || operations <= 64 else { return false }
        nextLook = now + 1000
        return true
    }

    /// Why the worker should be replaced; nil: it should not.
    ///
    /// A login that only a person can make again keeps it, until it is four times as large as it may be: the machine needs
    /// its memory.
    func verdict(at now: Int64, residentBytes: Int, login: HeldLogin) -> String? {
        let limit = login == .ofPerson ? 4 * Self.mostMemory : Self.mostMemory
        if residentBytes > limit { return "it has \(residentBytes >> 20) MiB in memory" }
        guard login != .ofPerson else { return nil }
        if operations >= Self.mostOperations { return "it has served \(operations) requests" }
        if now - startedAt >= Self.longestLife { return "it has run for a day" }
        return nil
    }
}

/// Whose login a worker holds, as far as its agent knows.
enum HeldLogin: Hashable, Sendable {
    case none
    /// The token took the stored PIN: the login can be made again without a person.
    case ofStoredPIN
    /// Typed, on the reader's pad, or found already there, so that no PIN was judged.
    case ofPerson
}

/// The memory that a process has resident, in bytes (proc(5), statm); 0 where it cannot be told.
func residentBytes(of process: pid_t) -> Int {
    let text = OpenFile.beginning(of: "/proc/\(process)/statm", 128) ?? []
    let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
}
