/// Whose agent this is.
package enum AgentScope: Hashable, Sendable {
    /// One user's, in `$XDG_RUNTIME_DIR`.
    case user
    /// The system's, in `/run` (`--system`).
    case system
}
