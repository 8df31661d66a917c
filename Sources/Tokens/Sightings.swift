import ModuleFiles
import PKCS11URI
import TokenService

/// The tokens that each module showed when it was looked at last.
///
/// Looks overlap, and a slow one ends after others that began later. Each takes a number when it begins; its result counts
/// only where no later one has been noted.
struct Sightings: Sendable {
    private var modules: [ModuleIdentity: Module] = [:]
    private var last: UInt64 = 0

    private struct Module: Sendable {
        /// The look that the rest is from.
        var noted: UInt64 = 0
        /// Nil until something has been noted.
        var seen: Set<TokenSighting>?
        var present: [TokenKey: LocatedToken] = [:]
        var snapshots: [TokenSnapshot] = []
        /// Tokens that have refused RSA-PSS, whatever they list.
        var withoutPSS: Set<TokenKey> = []
    }

    /// The difference that a look has made.
    struct Change: Hashable, Sendable {
        /// Other tokens, objects or logins than before.
        var isNews = false
        /// Tokens that are no longer there.
        var removed: Set<TokenKey> = []
    }

    /// The tokens that have been found, with their places.
    var present: [TokenKey: LocatedToken] {
        modules.values.reduce(into: [:]) { all, module in all.merge(module.present) { first, _ in first } }
    }

    func tokens(of module: ModuleIdentity) -> Set<TokenSighting> { modules[module]?.seen ?? [] }

    /// The last answer, for the time in which the module cannot be asked.
    func snapshots(of module: ModuleIdentity) -> [TokenSnapshot] { modules[module]?.snapshots ?? [] }

    /// Whether the token is believed to make RSA-PSS signatures.
    func havePSS(_ key: TokenKey, _ snapshot: TokenSnapshot) -> Bool {
        snapshot.hasPSS && modules[key.module]?.withoutPSS.contains(key) != true
    }

    /// The token lists RSA-PSS and has refused to sign with it: that stands until it goes, or its module is set anew.
    ///
    /// - Returns: Whether that is new.
    mutating func noteRefusedPSS(_ key: TokenKey) -> Bool {
        modules[key.module, default: Module()].withoutPSS.insert(key).inserted
    }

    /// The number of a look that begins now.
    mutating func begin() -> UInt64 {
        last += 1
        return last
    }

    /// - Parameter isAnswer: Whether the module has answered. If not, that is an outage, and says nothing of its tokens: no
    ///   hand has taken a card.
    mutating func note(
        _ snapshots: [TokenSnapshot], of identity: ModuleIdentity, in description: ModuleDescription, look: UInt64,
        isAnswer: Bool
    ) -> Change {
        var module = modules[identity] ?? Module()
        guard look > module.noted else { return Change() }
        module.noted = look
        let seen = Set(snapshots.map { TokenSighting($0, of: identity) })
        let found = Dictionary(
            snapshots.map { (TokenKey(module: identity, token: $0.token), $0.located(in: description)) },
            uniquingKeysWith: { first, _ in first })
        var change = Change(isNews: module.seen.map { $0 != seen } ?? false)
        module.seen = seen
        if isAnswer {
            change.removed = Set(module.present.keys.filter { found[$0] == nil })
            module.withoutPSS.subtract(change.removed)
            module.present = found
            module.snapshots = snapshots
        } else {
            module.present.merge(found) { $1 }
        }
        modules[identity] = module
        return change
    }

    /// Forgets the modules that the configuration has no longer.
    ///
    /// - Returns: Their tokens, which are gone with them.
    mutating func keep(only identities: Set<ModuleIdentity>) -> Set<TokenKey> {
        let gone = present.keys.filter { !identities.contains($0.module) }
        modules = modules.filter { identities.contains($0.key) }
        return Set(gone)
    }

    /// No look that has begun counts any more: the module runs with other settings, and may show other tokens.
    mutating func beginAnew(_ identity: ModuleIdentity) {
        modules[identity]?.snapshots = []
        modules[identity]?.withoutPSS = []
        modules[identity]?.noted = last
    }
}

/// A token as a module showed it, as far as it makes a difference to a profile that waits for one.
struct TokenSighting: Hashable, Sendable {
    var key: TokenKey
    var isLoggedIn: Bool
    var certificates: [CertificateObject]
    var keys: Set<KeyObject>
    var slotID: UInt64

    init(_ snapshot: TokenSnapshot, of module: ModuleIdentity) {
        key = TokenKey(module: module, token: snapshot.token)
        slotID = snapshot.slotID
        isLoggedIn = snapshot.isLoggedIn
        certificates = snapshot.certificates
        keys = Set(snapshot.keys)
    }

    var reference: TokenReference { TokenReference(slotID: slotID, token: key.token) }
}
