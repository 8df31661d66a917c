/// Whose sessions the sessions of each profile are made of: its *base*, which `source-profile` names. A chain leads from a
/// profile over its bases to the one that has none, its *root*, whose sessions come from a token. A *fallback* is a profile
/// whose sessions stand in while the profile's own service or token is down.
package struct ProfileRoutes: Hashable, Sendable {
    private let bases: [ProfileName: ProfileName]
    private let fallbacks: [ProfileName: [ProfileName]]

    /// No way leads back to where it began.
    ///
    /// - Parameters:
    ///   - bases: Of the profiles that have one.
    ///   - fallbacks: Of the profiles that have some, in the order in which to try them.
    package init(bases: [ProfileName: ProfileName] = [:], fallbacks: [ProfileName: [ProfileName]] = [:]) {
        self.bases = bases
        self.fallbacks = fallbacks
    }

    func base(of name: ProfileName) -> ProfileName? { bases[name] }

    func fallbacks(of name: ProfileName) -> [ProfileName] { fallbacks[name] ?? [] }

    /// The profile's base, the base of that, and so on to the root; empty for a root.
    func bases(of name: ProfileName) -> [ProfileName] {
        var chain: [ProfileName] = []
        var next = bases[name]
        while let base = next, chain.count <= bases.count {
            chain.append(base)
            next = bases[base]
        }
        return chain
    }

    func root(of name: ProfileName) -> ProfileName { bases(of: name).last ?? name }

    /// Whether each of these profiles is made of the session of the next: of its base's, or of one that stands in for that.
    func lead(along chain: [ProfileName]) -> Bool {
        zip(chain, chain.dropFirst()).allSatisfy { name, next in
            bases[name].map { $0 == next || fallbacks(of: $0).contains(next) } ?? false
        }
    }

    /// These profiles, and all whose sessions are made of theirs, over however many hops.
    func withDependents(_ names: Set<ProfileName>) -> Set<ProfileName> {
        names.union(bases.keys.filter { !names.isDisjoint(with: bases(of: $0)) })
    }

    /// These profiles, and all whose callers may get their sessions in the place of their own.
    func withThoseTheyStandInFor(_ names: Set<ProfileName>) -> Set<ProfileName> {
        var reached = names
        while true {
            let more = fallbacks.filter { !reached.contains($0.key) && !reached.isDisjoint(with: $0.value) }.keys
            guard !more.isEmpty else { return reached }
            reached.formUnion(more)
        }
    }
}
