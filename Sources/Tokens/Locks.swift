import Synchronization
package import TokenService

/// What makes the agent forget PINs and credentials by itself: the elements of `lock-on`.
package enum LockEvent: String, CaseIterable, Sendable {
    /// The machine goes to sleep. Nothing is obtained until it is awake.
    case suspend
    /// One of the user's sessions locks its screen. Nothing is obtained until none is locked.
    case screenLock = "screen-lock"
    /// The last of the user's sessions ends.
    case sessionEnd = "session-end"
    /// A token is taken out: its PIN and its sessions go with it.
    case removal
}

/// The tokens that are locked: by a person until a person unlocks them, or by an event for as long as that lasts. Nothing
/// logs in to a locked token by itself.
package struct Locks: Sendable {
    /// What people have locked.
    private(set) var people: LockSet
    private var events = LockSet()
    /// The events that last.
    private var current: Set<LockEvent> = []
    /// What people have locked and an unlock under way has taken back.
    private var suspended: Set<TokenKey> = []
    /// The last lock of all tokens, and of each token that was locked alone.
    private var lockOfAll: Moment?
    private var locked: [TokenKey: Moment] = [:]
    /// When the last unlock of each token was asked for that has worked.
    private var unlocked: [TokenKey: Moment] = [:]

    /// A point in the order of all requests to lock and to unlock.
    package struct Moment: Comparable, Sendable {
        private let number: UInt64
        private static let last = Atomic<UInt64>(0)

        /// Now.
        package init() { number = Self.last.wrappingAdd(1, ordering: .relaxed).newValue }

        package static func < (left: Moment, right: Moment) -> Bool { left.number < right.number }
    }

    /// An unlock under way, and the locks that it has taken back.
    struct Unlocking: Sendable {
        fileprivate let key: TokenKey
        fileprivate let moment: Moment
        fileprivate let isOfPerson: Bool
        fileprivate let isOfEvent: Bool
    }

    init(people: LockSet = LockSet()) { self.people = people }

    package func contains(_ key: TokenKey) -> Bool { people.contains(key) || events.contains(key) }

    /// Whether every token is locked, those that come later included.
    package var areOfAll: Bool { people.isAll || events.isAll }

    /// What people have locked, for the agent that is started after this one: an unlock ends such a lock when it has worked.
    var lasting: LockSet { suspended.reduce(into: people) { $0.set($1, isLocked: true) } }

    /// Locks these tokens until `unlock`.
    ///
    /// - Parameter moment: When that was asked for: tokens that were unlocked since are left out.
    /// - Returns: Those that are locked.
    package mutating func lock(_ keys: Set<TokenKey>, asOf moment: Moment) -> Set<TokenKey> {
        let keys = keys.filter { !hasUnlocked($0, since: moment) }
        for key in keys {
            people.set(key, isLocked: true)
            locked[key.written] = Moment()
        }
        return keys
    }

    /// Whether the token was locked after this moment, even if it is not locked any more.
    func hasLocked(_ key: TokenKey, since moment: Moment) -> Bool {
        [lockOfAll, locked[key.written]].contains { $0.map { $0 > moment } ?? false }
    }

    /// Whether an unlock of the token has worked that was asked for after this moment.
    package func hasUnlocked(_ key: TokenKey, since moment: Moment) -> Bool {
        unlocked[key.written].map { $0 > moment } ?? false
    }

    /// Ends every lock of the token: a person who unlocks it means it. A token is unlocked once at a time.
    mutating func beginUnlock(_ key: TokenKey, asOf moment: Moment) -> Unlocking {
        let unlocking = Unlocking(
            key: key, moment: moment, isOfPerson: people.contains(key), isOfEvent: events.contains(key))
        if unlocking.isOfPerson { suspended.insert(key) }
        people.set(key, isLocked: false)
        events.set(key, isLocked: false)
        return unlocking
    }

    /// - Parameter hasWorked: If not, the locks are as before. An event that has ended meanwhile locks nothing any more.
    mutating func endUnlock(_ unlocking: Unlocking, hasWorked: Bool) {
        let key = unlocking.key
        suspended.remove(key)
        if hasWorked {
            unlocked[key.written] = unlocking.moment
        } else {
            if unlocking.isOfPerson { people.set(key, isLocked: true) }
            if unlocking.isOfEvent, events.isAllLocked { events.set(key, isLocked: true) }
        }
    }

    /// Locks every token until its `unlock`, those that come later included.
    package mutating func lockAll() {
        people = LockSet(isAllLocked: true)
        noteLockOfAll()
    }

    private mutating func noteLockOfAll() {
        lockOfAll = Moment()
        locked = [:]
    }

    /// Locks every token for as long as the event lasts, also those that a person has unlocked during another one.
    ///
    /// - Returns: False where it lasts already.
    package mutating func begin(_ event: LockEvent) -> Bool {
        guard current.insert(event).inserted else { return false }
        events = LockSet(isAllLocked: true)
        noteLockOfAll()
        return true
    }

    /// - Returns: Whether it was the last one: no event locks any more.
    package mutating func end(_ event: LockEvent) -> Bool {
        guard current.remove(event) != nil, current.isEmpty else { return false }
        events = LockSet()
        return true
    }
}

/// All tokens, or none, with exceptions, as they are written.
struct LockSet: Hashable, Sendable {
    private(set) var isAllLocked: Bool
    private(set) var exceptions: Set<TokenKey>

    init(isAllLocked: Bool = false, exceptions: Set<TokenKey> = []) {
        self.isAllLocked = isAllLocked
        self.exceptions = exceptions
    }

    var isAll: Bool { isAllLocked && exceptions.isEmpty }

    func contains(_ key: TokenKey) -> Bool { exceptions.contains(key.written) != isAllLocked }

    mutating func set(_ key: TokenKey, isLocked: Bool) {
        if isLocked == isAllLocked { exceptions.remove(key.written) } else { exceptions.insert(key.written) }
    }
}
