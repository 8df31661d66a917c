package import TokenService

/// Which tokens are locked: by a person until a person says otherwise, or by an event for as long as that lasts. While a
/// token is locked nothing logs in to it by itself.
package struct Locks: Sendable {
    /// What people have locked.
    private(set) var people: LockSet
    private var events = LockSet()
    /// The events that last.
    private var lasting: Set<LockEvent> = []
    /// How many locks have been set, and the last one of all tokens and of each token that was locked alone.
    private var count: UInt64 = 0
    private var lastOfAll: UInt64 = 0
    private var last: [TokenKey: UInt64] = [:]

    /// A moment between two locks.
    package struct Moment: Hashable, Sendable {
        fileprivate let count: UInt64
    }

    init(people: LockSet = LockSet()) { self.people = people }

    package func contains(_ key: TokenKey) -> Bool { people.contains(key) || events.contains(key) }

    /// Whether every token is locked, those that come later included.
    package var areOfAll: Bool { people.isAll || events.isAll }

    mutating func lock(_ key: TokenKey) {
        people.set(key, isLocked: true)
        count += 1
        last[key.written] = count
    }

    /// Now, for a request to unlock that takes its time.
    package var moment: Moment { Moment(count: count) }

    /// Whether the token was locked after this moment, whatever has become of that lock.
    func hasLocked(_ key: TokenKey, since moment: Moment) -> Bool {
        max(lastOfAll, last[key.written] ?? 0) > moment.count
    }

    /// Ends whatever lock the token has: a person who unlocks it means it.
    mutating func unlock(_ key: TokenKey) {
        people.set(key, isLocked: false)
        events.set(key, isLocked: false)
    }

    /// Takes an `unlock` back that came to nothing. An event that has ended meanwhile locks nothing any more.
    ///
    /// - Parameter before: What was in force when it began.
    mutating func restore(_ key: TokenKey, from before: Locks) {
        if before.people.contains(key) { people.set(key, isLocked: true) }
        if before.events.contains(key), events.isAllLocked { events.set(key, isLocked: true) }
    }

    /// Every token, those that come later included.
    mutating func lockAll() {
        people = LockSet(isAllLocked: true)
        noteLockOfAll()
    }

    private mutating func noteLockOfAll() {
        count += 1
        lastOfAll = count
        last = [:]
    }

    /// Locks every token for as long as the event lasts, whatever a person has unlocked during another one.
    ///
    /// - Returns: False where it lasts already.
    mutating func begin(_ event: LockEvent) -> Bool {
        guard lasting.insert(event).inserted else { return false }
        events = LockSet(isAllLocked: true)
        noteLockOfAll()
        return true
    }

    /// - Returns: Whether it was the last one: no event locks any more.
    mutating func end(_ event: LockEvent) -> Bool {
        guard lasting.remove(event) != nil, lasting.isEmpty else { return false }
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
