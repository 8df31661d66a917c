import PKCS11URI
import TokenService

/// What a module shows: the tokens of those workers that answered, and why others did not.
struct ModuleSight: Sendable {
    var tokens: [TokenSnapshot] = []
    /// Why the module could not be listed; tokens with workers of their own may be seen all the same.
    var failure: ModuleFailure?
}

extension ModuleHost {
    /// Every token of the module: the listing worker tells which there are, and each token's own worker, which alone is
    /// logged in, what is on it. Callers at the same time share one look; one whose task is cancelled leaves it at once.
    func tokens() async -> ModuleSight {
        for isLastAttempt in [false, true] where !Task.isCancelled {
            let own = workers.filter { $0.value.host !== listing }.map(\.key)
            async let views = views(of: own)
            let listed = await list(sparing: own)
            // Before the tokens' own looks are waited for: who is gone may hang.
            if listed.isFresh, case .success(let tokens) = listed.result { await settle(tokens) }
            let merged = await merge(listed, await views)
            guard !Task.isCancelled else { break }  // what was left early says nothing of the tokens
            // A worker that does not see its token any more was ended; the listing has not looked at that token.
            if !merged.isIncomplete || isLastAttempt { return merged.sight }
        }
        return ModuleSight(failure: .stopped)
    }

    private struct Listing {
        var result: Look.Outcome
        /// False for an earlier one, given because the module may be waiting for a person's touch.
        var isFresh: Bool
    }

    private func list(sparing own: [TokenDescription]) async -> Listing {
        let look = listingLook ?? beginListing(sparing: own)
        while !Task.isCancelled {
            if let result = await look.outcome() { return Listing(result: result, isFresh: true) }
            if calls.isLong(at: clock.boot()), let lastListing {
                return Listing(result: .success(lastListing), isFresh: false)
            }
        }
        return Listing(result: .failure(.stopped), isFresh: false)
    }

    private func beginListing(sparing own: [TokenDescription]) -> Look {
        let look = Look()
        listingLook = look
        Task {  // ends with the look
            let outcome = await inSteps(of: look) {
                let host = self.listing
                let outcome = await self.ask(host, .all(sparing: own))
                guard case .failure = outcome, host !== self.listing else { return outcome }
                return await self.ask(self.listing, .all(sparing: own))  // that one was given up meanwhile
            }
            if listingLook === look {  // otherwise it was begun before a login: nobody's
                listingLook = nil
                if case .success(let snapshots) = outcome { lastListing = snapshots }
            }
            look.end(with: outcome)
        }
        return look
    }

    /// Those who wait for the look ask themselves every half second whether an earlier one will do.
    private func inSteps(of look: Look, _ body: () async -> Look.Outcome) async -> Look.Outcome {
        let steps = Task { [clock] in  // ends below
            while (try? await clock.sleep(TokenCalls.long / 2)) != nil { look.endStep() }  // an error means cancelled
        }
        defer { steps.cancel() }
        return await body()
    }

    private func views(of own: [TokenDescription]) async -> [TokenDescription: Look.Outcome] {
        await withTaskGroup(of: (TokenDescription, Look.Outcome).self) { group in
            for token in own { group.addTask { (token, await self.view(of: token)) } }
            var views: [TokenDescription: Look.Outcome] = [:]
            for await (token, view) in group { views[token] = view }
            return views
        }
    }

    /// How long a token's own look is waited for where an earlier one can be had instead, in milliseconds: a token that
    /// hangs costs its own requests.
    private static let patience: Int64 = 2000

    private func view(of token: TokenDescription) async -> Look.Outcome {
        guard let worker = workers[token] else { return .success([]) }
        let look = worker.look ?? beginLook(at: token, worker.host)
        let view = worker.view ?? lastListing?.filter { $0.token == token } ?? []
        let began = clock.boot()
        while !Task.isCancelled {
            if let outcome = await look.outcome() { return outcome }
            let waited = clock.boot() - began
            // A view from before a login is better than none only where a person's touch keeps the token from looking.
            let isTouched = calls.isLong(at: clock.boot(), by: ObjectIdentifier(worker.host))
            if !view.isEmpty, isTouched || (worker.isViewCurrent && waited >= Self.patience) {
                return .success(view)
            }
        }
        return .failure(.stopped)
    }

    private func beginLook(at token: TokenDescription, _ host: WorkerHost) -> Look {
        let slot = lastListing?.first { $0.token == token }?.slotID ?? 0
        let look = Look()
        workers[token]?.look = look
        Task {  // ends with the look
            let outcome = await inSteps(of: look) {
                await self.ask(host, .one(TokenReference(slotID: slot, token: token)))
            }
            if workers[token]?.look === look {
                workers[token]?.look = nil
                // An error leaves no view to hand out: the next one who asks is told of it.
                workers[token]?.view = try? outcome.get()
                workers[token]?.isViewCurrent = true
            }
            look.end(with: outcome)
        }
        return look
    }

    private func ask(_ host: WorkerHost, _ scope: ListScope) async -> Look.Outcome {
        await host.ask(.list(scope), deadline: launch.deadlines.list).flatMap { reply in
            guard case .tokens(let tokens) = reply else { return .failure(.confused) }
            return .success(tokens)
        }
    }

    // MARK: Putting it together

    private func merge(
        _ listing: Listing, _ views: [TokenDescription: Look.Outcome]
    ) async -> (sight: ModuleSight, isIncomplete: Bool) {
        guard case .success(let listed) = listing.result else {
            let seen = views.values.flatMap { (try? $0.get()) ?? [] }  // an error is the token's, and is told above it
            return (ModuleSight(tokens: seen, failure: listing.result.failure), false)
        }
        var isIncomplete = false
        var tokens: [TokenSnapshot] = []
        var placed: Set<TokenDescription> = []
        for var snapshot in listed {
            switch views[snapshot.token] {
            case nil: tokens.append(snapshot)
            case .success(let own) where own.isEmpty:
                await forget(snapshot.token)
                isIncomplete = true
            case .success(let own):
                if placed.insert(snapshot.token).inserted { tokens += own }
            case .failure(let failure):
                snapshot.failure = failure.reason
                tokens.append(snapshot)
            }
        }
        return (ModuleSight(tokens: tokens, failure: nil), isIncomplete)
    }

    /// Ends the workers of tokens that are gone, and gives the listing to another worker where the present one has a
    /// token to itself and is no longer alone with it.
    private func settle(_ listed: [TokenSnapshot]) async {
        // Nobody is logged in to nothing. What happens to card readers is known from pcscd.
        if await !usesCardReaders, emptiness.note(isEmpty: listed.isEmpty, at: clock.boot()) { await listing.restart() }
        let present = Set(listed.map(\.token))
        for (token, worker) in workers where !present.contains(token) {
            // It answers, and holds up nobody: what else its removal means is for `lock-on` to say.
            if listed.isEmpty, worker.host === listing { continue }
            await forget(token)
        }
        let isShared = workers.values.contains { $0.host === listing }
        if listed.count > 1, isShared {
            listing = newHost()
        } else if listed.count == 1, workers.count == 1, !isShared, let only = workers[listed[0].token]?.host {
            let spare = listing
            listing = only
            await spare.drop()
        }
    }

    /// A worker whose token is gone is ended without another word: OpenSC hangs for ever in the first call after a card
    /// was pulled out of a signature, and the card that comes back is not logged in.
    func forget(_ token: TokenDescription) async {
        guard let worker = workers.removeValue(forKey: token) else { return }
        if worker.host === listing { listing = newHost() }
        await worker.host.drop()
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
