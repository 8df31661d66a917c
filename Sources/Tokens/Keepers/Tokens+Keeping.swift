package import AgentAPI
package import KeeperService
import PKCS11URI
import Prompts
package import TokenService

/// A token as one management command has it: in a keeper, logged in.
package struct KeptToken: Sendable {
    package let token: FoundToken
    /// What the token's module says of itself.
    package let module: ModuleReport
    fileprivate let keeper: KeeperHost
    fileprivate let call: OpenCalls.Call

    /// Where the token is, for requests.
    package var reference: TokenReference { token.reference }

    /// Asks the keeper.
    ///
    /// - Parameter secret: What goes with the request and is in no message, such as a file's password.
    /// - Throws: What the keeper answers instead, in words for people.
    package func ask(_ request: KeeperRequest, secret: HeldPIN? = nil) async throws(Problem) -> KeeperReply {
        if request.makesChanges, Presence.current?.isOver == true {
            throw Problem(
                .shuttingDown, "the command has ended that asked for the change, and nothing was changed",
                hint: "run it again")
        }
        switch await keeper.ask(request, secret: secret, permit: call.permit) {
        case .success(.failed(let failure)): throw failure.problem(for: token.snapshot.token)
        case .success(let reply): return reply
        case .failure(.lost(.revoked)): throw token.problem(.locked)
        case .failure(let failure):
            let isLocked = call.permit.isRevoked
            var problem =
                isLocked
                ? token.problem(.locked)
                : failure.problem(doing: "changing token \(token.snapshot.token.displayName, .token)")
            if request.makesChanges, failure.mayHaveBeenCarriedOut {
                problem.append("; the change was under way, and may be done all the same")
                problem.hint =
                    "\(isLocked ? "run 'tokenward unlock', then " : "")look at what it has now with 'tokenward key list'"
                    + "\(isLocked ? "" : ", then try again")"
            }
            throw problem
        }
    }
}

extension Tokens {
    /// Runs one management command on a token, in a keeper of its own: a process that is logged in as any other use of the
    /// token would be, and ends with the command. There is one at a time on a token. A locked token stays locked, and a lock
    /// that comes meanwhile ends the command.
    ///
    /// - Parameter pin: One that came with the request; nil: the stored one, or a person is asked.
    package func keeping<Outcome: Sendable>(
        _ token: FoundToken, pin: HeldPIN?, _ body: @Sendable (KeptToken) async throws(Problem) -> Outcome
    ) async throws(Problem) -> Outcome {
        try await keeping(token, pin: pin, before: { _ in }) { (kept, _) throws(Problem) in try await body(kept) }
    }

    /// The same, with something that comes before the login: what fails there costs none.
    package func keeping<Prepared: Sendable, Outcome: Sendable>(
        _ token: FoundToken, pin: HeldPIN?, before prepare: @Sendable (KeptToken) async throws(Problem) -> Prepared,
        _ body: @Sendable (KeptToken, Prepared) async throws(Problem) -> Outcome
    ) async throws(Problem) -> Outcome {
        let key = token.key
        let name = token.snapshot.token.displayName
        guard !ledger.isLocked(key) else { throw token.problem(.locked) }
        guard let host = host(of: key) else {
            throw Problem(
                .tokenGone, "token \(name, .token) is gone with its module",
                hint: "run 'tokenward status' to see what is there")
        }
        guard managed.insert(key.token).inserted else {
            throw Problem(
                .tokenBusy, "another management command is at work on token \(name, .token)",
                hint: "wait for its end, then try again")
        }
        defer { managed.remove(key.token) }
        await renewAfterSleep()
        let call = calls.begin(key)  // before the look at the locks counts: a lock that comes now revokes it
        defer { calls.end(call) }
        let keeper: KeeperHost
        do throws(ModuleFailure) {
            keeper = try await KeeperHost(host.keeperLaunch(setting.keeperExecutable))
        } catch {
            throw error.problem(doing: "preparing a change of token \(name, .token)")
        }
        keepers[call.id] = (key, keeper)
        let result: Result<Outcome, Problem>
        do throws(Problem) {
            if ledger.isLocked(key) || call.permit.isRevoked { throw token.problem(.locked) }
            let kept = KeptToken(token: token, module: keeper.report, keeper: keeper, call: call)
            let prepared = try await prepare(kept)
            try await logIn(keeper, to: token, pin: pin)
            result = .success(try await body(kept, prepared))
        } catch {
            result = .failure(error)
        }
        let after = keeper.hasChanged ? await keeper.look(at: token.reference) : nil
        keepers[call.id] = nil
        await keeper.end()
        if let after { await renewWorkers(of: key, by: host, after: (try? after.get())?.first) }
        return try result.get()
    }

    /// Has the workers see what a command has changed before it ends: for a use of the token in the middle of it.
    package func showChanges(of kept: KeptToken) async {
        guard let host = host(of: kept.token.key) else { return }
        let after = await kept.keeper.look(at: kept.reference)
        await renewWorkers(of: kept.token.key, by: host, after: (try? after.get())?.first)
    }

    /// Ends the keepers of these tokens, or all.
    func endKeepers(of keys: Set<TokenKey>? = nil) async {
        for (key, keeper) in keepers.values where keys?.contains(key) != false { await keeper.end() }
    }

    /// Has the token's worker and the one that lists see a token that has changed. Some modules show what another process has
    /// changed only after they are initialised anew (tpm2-pkcs11, ykcs11, OpenSC): those workers are ended, after the token's
    /// signatures under way. Others show it at once, and keep the login of a PIN that a person has typed. Other tokens keep
    /// theirs in either case.
    ///
    /// - Parameter changed: The token as the keeper has left it; nil where it could not say.
    private func renewWorkers(of key: TokenKey, by host: ModuleHost, after changed: TokenSnapshot?) async {
        await host.outdateLooks()
        let shown = await survey(of: [host]).tokens.map(\.snapshot).first { $0.token == key.token }
        if let changed, let shown, shown.isLoggedIn, shown.shows(changed) { return }
        let patience = clock.boot() + 5000
        while calls.haveSignature(on: key), clock.boot() < patience {
            await withCheckedContinuation { calls.wait($0) }
        }
        await host.renew(for: key.token)
        _ = await survey(of: [host])
    }
}

extension FoundToken {
    fileprivate var reference: TokenReference { TokenReference(slotID: snapshot.slotID, token: snapshot.token) }
}

extension TokenSnapshot {
    /// Whether it has the same objects.
    fileprivate func shows(_ other: TokenSnapshot) -> Bool {
        Set(keys) == Set(other.keys) && Set(certificates) == Set(other.certificates)
    }
}
