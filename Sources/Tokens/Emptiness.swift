/// How long a module has shown no token. Some look for what they serve only when they are loaded: p11-kit's client for its
/// server, a TPM's module for the TPM, SoftHSM for tokens of another process's making.
struct Emptiness {
    private var since: Int64?
    /// In milliseconds; longer each time, because a new process costs some work and most modules are empty for good.
    private var pause: Int64 = 2000

    /// - Returns: Whether a new process should look.
    mutating func note(isEmpty: Bool, at now: Int64) -> Bool {
        guard isEmpty else {
            self = Emptiness()
            return false
        }
        guard let since else {
            self.since = now
            return false
        }
        guard now - since >= pause else { return false }
        self.since = now
        pause = min(pause * 2, 60_000)
        return true
    }
}
