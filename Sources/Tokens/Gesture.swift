import ModuleFiles
package import TokenService

/// What a token wants from a person.
package enum Gesture: String, Hashable, Sendable {
    case pin
    case touch
}

extension Gesture {
    /// What every signature takes; nil where a login lasts, or its PIN is stored, so that nobody is needed.
    ///
    /// A key that wants its PIN each time (CKA_ALWAYS_AUTHENTICATE) needs nobody either while the worker holds a typed
    /// one. A keypad's PIN is held by nobody.
    package init?(eachSignatureBy rule: TokenRule?, flags: TokenFlags, alwaysAuthenticates: Bool) {
        if rule?.touch == true {
            self = .touch
            return
        }
        guard flags.contains(.loginRequired), let rule, !rule.pinSource.isStored else { return nil }
        guard rule.pinLifetimeSeconds == 0 || (rule.pinSource == .protected && alwaysAuthenticates) else { return nil }
        self = .pin
    }
}

extension TokenRule.PINSource {
    var isStored: Bool {
        switch self {
        case .file, .credential: true
        case .prompt, .protected: false
        }
    }
}

/// The calls that a person is, or may be, asked to end: which token, and whether people are told.
///
/// While one is under way its module is asked nothing else, because some modules answer nothing else (OpenSC holds a
/// global lock), and a call that is not answered would cost the worker its life.
package struct AwaitedGestures: Sendable {
    package enum Place: String, Hashable, Sendable {
        /// A signature takes so long that the token probably blinks.
        case touch
        /// The reader's keypad waits for the PIN.
        case pinpad
    }

    private struct Call: Sendable {
        let key: TokenKey
        var place: Place?
    }

    private var calls: [UInt64: Call] = [:]
    /// Logins that no person has to end.
    private var logins: [UInt64: TokenKey] = [:]
    private var lastID: UInt64 = 0
    private var waiters: [CheckedContinuation<Void, Never>] = []

    mutating func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// - Parameter place: What people are told; nil for nothing yet.
    mutating func note(_ id: UInt64, _ key: TokenKey, _ place: Place?) { calls[id] = Call(key: key, place: place) }

    /// A login for which nobody is waited for, but which must not be cut short either: what became of its PIN would not be
    /// known.
    mutating func noteLogin(_ id: UInt64, _ key: TokenKey) { logins[id] = key }

    mutating func end(_ id: UInt64) {
        calls[id] = nil
        logins[id] = nil
        for waiter in waiters { waiter.resume() }
        waiters = []
    }

    /// Resumes when some call has ended: look again then.
    mutating func wait(_ continuation: CheckedContinuation<Void, Never>) { waiters.append(continuation) }

    func place(of key: TokenKey) -> Place? { calls.values.first { $0.key == key && $0.place != nil }?.place }

    func contains(_ key: TokenKey) -> Bool { calls.values.contains { $0.key == key } }

    func occupies(module: ModuleIdentity) -> Bool { calls.values.contains { $0.key.module == module } }

    /// Whether the module may have good reason not to answer who only wants to know that it is alive.
    func excuses(module: ModuleIdentity) -> Bool {
        occupies(module: module) || logins.values.contains { $0.module == module }
    }
}
