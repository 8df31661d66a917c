import TokenService

extension ModuleHost {
    /// Whether the library talks to pcscd; known once it has been loaded.
    var usesCardReaders: Bool { report?.usesCardReaders ?? false }

    /// Who is in the slots, without a look at what they hold.
    ///
    /// - Returns: Nil where no worker runs: nobody is logged in, and none is started for this.
    func presence() async -> Result<[TokenReference], ModuleFailure>? {
        guard processID != nil else { return nil }
        return await ask(.presence, deadline: launch.deadlines.list).flatMap { reply in
            guard case .present(let tokens) = reply else { return .failure(Self.confused) }
            return .success(tokens)
        }
    }

    /// Ends a worker that hangs. Only right after the removal of a card is less than the deadline of a call enough to say so.
    func checkLife() async {
        guard processID != nil else { return }
        _ = await ask(.presence, deadline: 1000)  // a worker that fails is replaced
    }

    /// Has every session opened anew before its next use.
    func renewSessions() async {
        guard processID != nil else { return }
        _ = await ask(.renewSessions, deadline: 2000)  // a worker that fails is replaced, which does the same
    }
}
