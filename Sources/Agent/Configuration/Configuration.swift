package import ModuleFiles
package import Prompts
package import Tokens

/// All that the agent was told, read once and never changed; a reload makes another.
package struct Configuration: Hashable, Sendable {
    /// Empty: every module that p11-kit has registered, p11-kit-trust apart.
    package var modules: [ModuleConfiguration] = []
    /// PIN rules, in order: the first whose URI matches a token wins.
    package var tokens: [TokenRule] = []
    package var profiles: [ProfileName: Profile] = [:]
    /// Sockets for consumers, beside the agent's own.
    package var listeners: [ListenerConfiguration] = []
    package var prompt = PromptSettings()
    /// When to forget PINs and credentials; nil: what is usual for the agent's scope.
    package var lockOn: Set<LockEvent>?
}

extension Configuration {
    var ofTokens: Tokens.Configuration {
        Tokens.Configuration(modules: modules, rules: tokens, prompt: prompt)
    }

    var routes: ProfileRoutes {
        ProfileRoutes(
            bases: profiles.compactMapValues(\.source.base), fallbacks: profiles.mapValues(\.fallbacks))
    }

    /// The profiles of this configuration that `old` had too, and that ask for another session or with another identity:
    /// what they hold is not what is wanted any more. Whom a profile is for makes no difference.
    func changedProfiles(from old: Configuration) -> Set<ProfileName> {
        Set(
            profiles.filter { name, profile in
                old.profiles[name].map {
                    $0.source != profile.source || $0.caBundle != profile.caBundle
                } ?? false
            }.keys)
    }
}
