import TokenService

extension ModuleHost {
    /// Whether the library talks to pcscd; known once it has been loaded.
    var usesCardReaders: Bool {
        get async { await report?.usesCardReaders ?? false }
    }

    /// Who is in the slots, without a look at what they hold.
    ///
    /// - Returns: Nil where no worker runs: nobody is logged in, and none is started for this.
    func presence() async -> Result<[TokenReference], ModuleFailure>? {
        guard await processID != nil else { return nil }
        return await listing.ask(.presence, as: .look, deadline: launch.deadlines.list).flatMap { reply in
            guard case .present(let tokens) = reply else { return .failure(.confused) }
            return .success(tokens)
        }
    }

    /// Ends the worker that lists if it hangs. Only right after the removal of a card is less than the deadline of a call
    /// enough to say so. The workers of other tokens may wait for a person, and the removed one's ends with its token.
    func checkLife() async {
        guard await processID != nil else { return }
        _ = await listing.ask(.presence, as: .other, deadline: 1000)  // a worker that fails is replaced
    }

    /// Has every session opened anew before its next use.
    func renewSessions() async {
        await withTaskGroup { group in
            for host in hosts {
                group.addTask {
                    guard await host.processID != nil else { return }
                    // A worker that fails is replaced, which does the same.
                    _ = await host.ask(.renewSessions, deadline: 2000)
                }
            }
        }
    }
}
