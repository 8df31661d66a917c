import PKCS11URI
import TokenService

/// What a module shows: the tokens of those workers that answered, and why others did not.
struct ModuleSighting: Sendable {
    var tokens: [TokenSnapshot] = []
    /// Why the module could not be listed; tokens with workers of their own may be seen all the same.
    var failure: ModuleFailure?
}

/// What the workers of one module have shown: which tokens there are, by the worker that lists, and what is on a token in
/// use, by that token's own worker. Decides what an earlier look is still good for, and which worker does what.
struct WorkerSightings: Sendable {
    /// What the module showed when it was listed last.
    private(set) var listed: [TokenSnapshot]?
    private var own: [TokenDescription: Own] = [:]

    private struct Own: Sendable {
        var snapshots: [TokenSnapshot]?
        /// False where a login or a logout has come since.
        var isCurrent = false
    }

    /// How long a token's own look is waited for where an earlier one can be had instead, in milliseconds: a token that
    /// hangs costs its own requests.
    static let patience: Int64 = 2000

    mutating func noteListing(_ snapshots: [TokenSnapshot]) { listed = snapshots }

    /// - Parameter outcome: A failure leaves nothing to give out: the next caller is told of it.
    mutating func note(_ outcome: Look.Outcome, of token: TokenDescription) {
        own[token] = Own(snapshots: try? outcome.get(), isCurrent: true)
    }

    /// A login or a logout: what the token's worker saw before is not what it would see now.
    mutating func outdate(_ token: TokenDescription) { own[token]?.isCurrent = false }

    mutating func forget(_ token: TokenDescription) { own[token] = nil }

    /// The slot that the token was listed in.
    func slot(of token: TokenDescription) -> UInt64? { listed?.first { $0.token == token }?.slotID }

    /// Whether the module showed this token alone.
    func showsOnly(_ token: TokenDescription) -> Bool { listed?.count == 1 && listed?.first?.token == token }

    /// What may stand in for a look at the token that is under way. What was seen before a login is better than nothing
    /// only where a person's touch keeps the token from looking.
    ///
    /// - Parameter waited: For how long the look has been waited for, in milliseconds.
    func substitute(for token: TokenDescription, isTouchAwaited: Bool, waited: Int64) -> [TokenSnapshot]? {
        let earlier = own[token]?.snapshots ?? listed?.filter { $0.token == token } ?? []
        guard !earlier.isEmpty else { return nil }
        let isCurrent = own[token]?.isCurrent == true && waited >= Self.patience
        return isTouchAwaited || isCurrent ? earlier : nil
    }

    /// The module's tokens, as the listing and the tokens' own workers saw them.
    ///
    /// - Returns: The tokens, and those of them whose own worker does not see its token any more: the listing has not looked
    ///   at what is on these.
    static func merged(
        _ listing: Look.Outcome, _ own: [TokenDescription: Look.Outcome]
    ) -> (sighting: ModuleSighting, gone: Set<TokenDescription>) {
        let listed: [TokenSnapshot]
        switch listing {
        case .failure(let failure):
            let seen = own.values.flatMap { (try? $0.get()) ?? [] }  // a failure is the token's, and stands beside it
            return (ModuleSighting(tokens: seen, failure: failure), [])
        case .success(let snapshots): listed = snapshots
        }
        var gone: Set<TokenDescription> = []
        var tokens: [TokenSnapshot] = []
        var placed: Set<TokenDescription> = []
        for var snapshot in listed {
            switch own[snapshot.token] {
            case nil: tokens.append(snapshot)
            case .success(let seen) where seen.isEmpty: gone.insert(snapshot.token)
            case .success(let seen): if placed.insert(snapshot.token).inserted { tokens += seen }
            case .failure(let failure):
                snapshot.failure = failure.reason
                tokens.append(snapshot)
            }
        }
        return (ModuleSighting(tokens: tokens), gone)
    }

    /// Which workers end after a listing, and which one lists from then on.
    struct Arrangement: Hashable, Sendable {
        enum Lister: Hashable, Sendable {
            case unchanged
            case new
            /// The worker of this token, which is the module's only one.
            case worker(of: TokenDescription)
        }
        /// Tokens that are gone.
        var gone: Set<TokenDescription>
        var lister: Lister
    }

    /// - Parameters:
    ///   - workers: The tokens with a worker.
    ///   - lister: The one of them whose worker lists as well.
    static func arrangement(
        listed: [TokenDescription], workers: Set<TokenDescription>, lister: TokenDescription?
    ) -> Arrangement {
        var gone = workers.subtracting(listed)
        // Where nothing is left, the one that lists answers, and holds up no other: what else the removal of its token means
        // is for `lock-on` to say.
        if listed.isEmpty, let lister { gone.remove(lister) }
        let left = workers.subtracting(gone)
        let isShared = lister.map(left.contains) ?? false
        if isShared { return Arrangement(gone: gone, lister: listed.count > 1 ? .new : .unchanged) }
        if listed.count == 1, left == [listed[0]] { return Arrangement(gone: gone, lister: .worker(of: listed[0])) }
        return Arrangement(gone: gone, lister: lister == nil ? .unchanged : .new)
    }
}
