import AgentAPI
import Files

/// What the cache is to do, as `SessionRequests` decides.
enum CacheStep {
    /// Gives this to callers from now on, until this boot time with the shortest validity.
    case publish(ProfileName, CachedCredentials?, lenientUntil: Int64)
    /// A caller has got the profile's session.
    case markUsed(ProfileName)
    /// Callers get the sessions of this fallback from now on, or (nil) the profile's own.
    case noteStandIn(ProfileName, ProfileName?)
    /// Looks at the files that the profile's attempts read; `looked` follows.
    case look(ProfileName, for: FileLook)
    /// Asks the source, with the base's session where there is one; `ended` follows.
    case ask(ProfileName, ProfileState.Flight, base: CachedCredentials?)
    /// The result of the attempt with this number will be discarded.
    case cancel(UInt64)
    /// Answers the client's call with this number.
    case answer(UInt64, Result<CachedCredentials, Problem>)
}

/// Whoever waits for a look at a profile's files.
enum FileLook: Hashable {
    case attempt(UInt64)
    case call(UInt64)
    /// Those who ask later.
    case nextCallers
}
