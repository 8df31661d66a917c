/// What a reload changes, and so what it leaves alone.
package struct ConfigurationDifference: Hashable, Sendable {
    /// By where they are loaded from.
    package struct Modules: Hashable, Sendable {
        package var same: Set<ModuleConfiguration.Location> = []
        /// Environment or sessions differ: their workers begin anew.
        package var changed: Set<ModuleConfiguration.Location> = []
        package var removed: Set<ModuleConfiguration.Location> = []
        package var added: Set<ModuleConfiguration.Location> = []
    }

    package struct Profiles: Hashable, Sendable {
        /// They ask for the same session with the same identity, so that their credentials stay. Whom they are for may
        /// have changed.
        package var same: Set<ProfileName> = []
        package var changed: Set<ProfileName> = []
        package var removed: Set<ProfileName> = []
        package var added: Set<ProfileName> = []
    }

    package let modules: Modules
    package let profiles: Profiles
    /// Whether PIN rules or their order differ.
    package let tokensChanged: Bool
    /// Whether the choice of modules passes from the configuration to p11-kit, or back.
    package let moduleChoiceChanged: Bool
}

extension Configuration {
    /// What changes when this configuration follows `old`.
    package func difference(from old: Configuration) -> ConfigurationDifference {
        ConfigurationDifference(
            modules: Self.modules(old.modules, modules), profiles: Self.profiles(old.profiles, profiles),
            tokensChanged: tokens != old.tokens, moduleChoiceChanged: modules.isEmpty != old.modules.isEmpty)
    }

    private static func modules(
        _ old: [ModuleConfiguration], _ new: [ModuleConfiguration]
    ) -> ConfigurationDifference.Modules {
        let before = Set(old)
        let oldPlaces = Set(old.map(\.location))
        let newPlaces = Set(new.map(\.location))
        var modules = ConfigurationDifference.Modules()
        modules.same = Set(new.filter(before.contains).map(\.location))
        modules.changed = newPlaces.intersection(oldPlaces).subtracting(modules.same)
        modules.removed = oldPlaces.subtracting(newPlaces)
        modules.added = newPlaces.subtracting(oldPlaces)
        return modules
    }

    private static func profiles(
        _ old: [ProfileName: Profile], _ new: [ProfileName: Profile]
    ) -> ConfigurationDifference.Profiles {
        var profiles = ConfigurationDifference.Profiles()
        for (name, profile) in new {
            guard let before = old[name] else {
                profiles.added.insert(name)
                continue
            }
            if profile.identity == before.identity, profile.session == before.session {
                profiles.same.insert(name)
            } else {
                profiles.changed.insert(name)
            }
        }
        profiles.removed = Set(old.keys).subtracting(new.keys)
        return profiles
    }
}
