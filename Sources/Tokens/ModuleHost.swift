import Clocks
import ModuleFiles
import PKCS11URI
import TokenService

/// One module and its workers: one that lists what the module has, and one for each token in use, because there are
/// modules that let a call on one token hold up or hang all the others of its process.
///
/// While a module shows a single token, one worker does both. When a second one comes, that worker stays with the first
/// and its login, and another begins to list.
actor ModuleHost {
    private let executor: TokensExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.unownedExecutor }

    private let launch: WorkerLaunch
    /// The worker that lists.
    private var lister: WorkerHost
    private let calls = TokenCalls()
    private var workers: [TokenDescription: TokenWorker] = [:]
    private var sightings = WorkerSightings()
    /// The listing that is under way. One that began before a login no longer counts.
    private var listing: Look?
    private var emptiness = Emptiness()
    /// It has been ended for good, with every worker that it would start.
    private var isStopped = false

    /// The worker of a token in use.
    private struct TokenWorker {
        let host: WorkerHost
        /// Signatures that may be under way at the same time; the others wait here and not in the worker, where their
        /// deadlines would run.
        let signatures: TurnQueue<SigningFlow>
        /// The look at its token that is under way.
        var look: Look?
    }

    init(_ launch: WorkerLaunch, on executor: TokensExecutor = TokensExecutor()) {
        self.executor = executor
        self.launch = launch
        lister = WorkerHost(launch, on: executor, calls: calls)
    }

    nonisolated var configuration: ModuleConfiguration { launch.configuration }
    nonisolated var path: String { launch.path }
    nonisolated var identity: ModuleIdentity { configuration.identity(at: path) }
    private var clock: AgentClock { launch.clock }

    /// What the library says of itself, once it has been loaded.
    var report: ModuleReport? {
        get async { await lister.report }
    }

    /// The process of the worker that lists, where it runs.
    var processID: Int32? {
        get async { await lister.processID }
    }

    func logIn(
        _ request: LoginRequest, pin: HeldPIN?, permit: CallPermit
    ) async -> Result<LoginOutcome, ModuleFailure> {
        let deadline = request.source == .protected ? launch.deadlines.keypad : launch.deadlines.logIn
        let token = request.token.token
        guard let worker = await worker(of: token)?.host else { return .failure(.crowded(Self.mostWorkers)) }
        let answer = await worker.ask(.logIn(request), secret: pin, permit: permit, deadline: deadline)
        outdate(of: token)
        return answer.flatMap { reply in
            guard case .login(let outcome) = reply else { return .failure(.confused) }
            return .success(outcome)
        }
    }

    /// How a request for a signature ended.
    enum Signing: Hashable, Sendable {
        case signature([UInt8])
        case dateKey(HeldSecret)
        /// The key wants its PIN each time, and this became of that login.
        case notAuthorized(LoginOutcome)
    }

    /// The most signatures that wait in a worker for a session: its socket holds them, whatever is signed but the longest
    /// handshakes of TLS 1.2.
    private static let mostNext = 8

    /// Where a signature waits for its turn, and has to be for as long as it is made. Each session of the token's worker has
    /// one under way, and few have one that is next, so that no session waits for the agent.
    func turns(on token: TokenDescription) async -> TurnQueue<SigningFlow> {
        await worker(of: token)?.signatures ?? TurnQueue(places: 1)  // no worker: it fails at once
    }

    /// - Parameters:
    ///   - mayTouch: The token may wait for a person's touch.
    ///   - isPINKnown: If the key gets a PIN, the token has taken it before: to send it twice costs no try.
    func sign(
        _ use: KeyUse, mayTouch: Bool, isPINKnown: Bool, permit: CallPermit
    ) async -> Result<Signing, ModuleFailure> {
        let limits = launch.deadlines
        let deadline = use.source == .protected ? limits.keypad : mayTouch ? limits.touch : limits.sign
        guard let worker = await worker(of: use.token.token) else {
            return .failure(.crowded(Self.mostWorkers))
        }
        let kind: WorkerHost.CallKind = isPINKnown ? .signature : .signatureWithNewPIN
        return await worker.host.ask(use.request, as: kind, permit: permit, deadline: deadline).flatMap { reply in
            switch (reply, use) {
            case (.signature(let signature), .signature): .success(.signature(signature))
            case (.dateKey(let key), .dateKey): .success(.dateKey(key))
            case (.login(let outcome), .signature): .success(.notAuthorized(outcome))
            default: .failure(.confused)
            }
        }
    }

    /// Logs out of one token, or of all.
    func logOut(_ token: TokenReference?) async {
        let meant = token.map { workers[$0.token].map { [$0.host] } ?? [] } ?? hosts
        await withTaskGroup { group in
            for host in meant { group.addTask { await host.logOut(token) } }
        }
        if let token { outdate(of: token.token) } else { workers.keys.forEach(outdate) }
    }

    /// Logs out and ends the workers, for good.
    func stop() async {
        isStopped = true
        await withTaskGroup { group in
            for host in hosts { group.addTask { await host.stop() } }
        }
    }

    /// Logs out and ends the workers; the next request starts another.
    func restart() async {
        let ended = hosts
        workers.keys.forEach(outdate)
        await withTaskGroup { group in
            for host in ended { group.addTask { await host.restart() } }
        }
    }

    /// Ends the worker of a token that is gone, and the one that lists, which may take the next card in the slot for the
    /// last one, unless it is another token's own.
    func forget(removed token: TokenDescription) async {
        await forget(token)
        if !workers.values.contains(where: { $0.host === lister }) { await lister.abandon() }
    }

    /// Has a new process list what there is: some modules know for good what they found when they were loaded (SoftHSM). No
    /// login ends with it. What happens to card readers is known from pcscd.
    func lookAnew() async {
        guard await !usesCardReaders else { return }
        listing = nil
        if workers.values.contains(where: { $0.host === lister }) {
            lister = newHost()
        } else {
            await lister.abandon()
        }
    }

    /// Ends the workers without another call: there is nothing left to log out of. Requests under way have another go.
    func abandon() async {
        let ended = hosts
        workers.keys.forEach(outdate)
        for host in ended { await host.abandon() }
    }

    /// How a keeper of the module is started.
    nonisolated func keeperLaunch(_ executable: String) -> WorkerLaunch { launch.running(executable) }

    /// No look that is under way counts any more: a token has changed.
    func outdateLooks() {
        workers.keys.forEach(outdate)
        listing = nil
    }

    /// Puts new workers in the places of the token's and of the one that lists, which log out. Requests under way have another
    /// go. Where another token's own worker lists, that one stays, and another lists.
    func renew(for token: TokenDescription) async {
        let own = workers[token]?.host
        let isOthers = workers.contains { $0.key != token && $0.value.host === lister }
        let ended = [own, isOthers || own === lister ? nil : lister].compactMap(\.self)
        outdateLooks()
        if isOthers { lister = newHost() }
        await withTaskGroup { group in
            for host in ended { group.addTask { await host.renew() } }
        }
    }

    /// Whether the library talks to pcscd; known once it has been loaded.
    var usesCardReaders: Bool {
        get async { await report?.usesCardReaders ?? false }
    }

    /// The tokens in the slots, without a look at what is on them.
    ///
    /// - Returns: Nil where no worker runs: no token is logged in, and no worker is started for this.
    func presence() async -> Result<[TokenReference], ModuleFailure>? {
        guard await processID != nil else { return nil }
        return await lister.ask(.presence, as: .look, deadline: launch.deadlines.list).flatMap { reply in
            guard case .present(let tokens) = reply else { return .failure(.confused) }
            return .success(tokens)
        }
    }

    /// Ends the worker that lists if it hangs. Only right after the removal of a card is less than the deadline of a call
    /// enough to say so. The workers of other tokens may wait for a person, and that of the removed one ends with its token.
    func checkLife() async {
        guard await processID != nil else { return }
        _ = await lister.ask(.presence, as: .other, deadline: 1000)  // a worker that fails is replaced
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

    // MARK: Looking

    /// Every token of the module: the listing worker tells which there are, and each token's own worker, which alone is
    /// logged in, what is on it. Callers at the same time share one look; one whose task is cancelled leaves it at once.
    func tokens() async -> ModuleSighting {
        for isLastAttempt in [false, true] where !Task.isCancelled {
            let inUse = workers.filter { $0.value.host !== lister }.map(\.key)
            async let own = looks(at: inUse)
            let listed = await list(sparing: inUse)
            // Before the tokens' own looks are waited for: a worker whose token is gone may hang.
            if listed.isFresh, case .success(let tokens) = listed.outcome { await arrange(tokens) }
            let (sighting, gone) = WorkerSightings.merged(listed.outcome, await own)
            guard !Task.isCancelled else { break }  // a look that was left early says nothing of the tokens
            for token in gone { await forget(token) }
            if gone.isEmpty || isLastAttempt { return sighting }
        }
        return ModuleSighting(failure: .stopped)
    }

    /// How many workers a look asks for what there is: the agent ends them for other reasons, such as a card that is pulled,
    /// or that comes back and is another.
    private static let mostListers = 4

    private func list(sparing inUse: [TokenDescription]) async -> (outcome: Look.Outcome, isFresh: Bool) {
        let look =
            listing
            ?? beginLook {
                for _ in 1..<Self.mostListers {
                    let outcome = await self.ask(self.lister, .all(sparing: inUse))
                    guard case .failure(let failure) = outcome, failure.isByAgent, !self.isStopped else {
                        return outcome
                    }
                }
                return await self.ask(self.lister, .all(sparing: inUse))
            } noting: { look, outcome in
                guard self.listing === look else { return }
                self.listing = nil
                if case .success(let snapshots) = outcome { self.sightings.noteListing(snapshots) }
            }
        listing = look
        // The module may be waiting for a person's touch.
        return await outcome(of: look) { _ in calls.isLong(at: clock.boot()) ? sightings.listed : nil }
    }

    private func looks(at inUse: [TokenDescription]) async -> [TokenDescription: Look.Outcome] {
        await withTaskGroup(of: (TokenDescription, Look.Outcome).self) { group in
            for token in inUse { group.addTask { (token, await self.look(at: token)) } }
            var outcomes: [TokenDescription: Look.Outcome] = [:]
            for await (token, outcome) in group { outcomes[token] = outcome }
            return outcomes
        }
    }

    private func look(at token: TokenDescription) async -> Look.Outcome {
        guard let worker = workers[token] else { return .success([]) }
        let slot = sightings.slot(of: token) ?? 0
        let look =
            worker.look
            ?? beginLook {
                await self.ask(worker.host, .one(TokenReference(slotID: slot, token: token)))
            } noting: { look, outcome in
                guard self.workers[token]?.look === look else { return }
                self.workers[token]?.look = nil
                self.sightings.note(outcome, of: token)
            }
        workers[token]?.look = look
        return await outcome(of: look) { waited in
            let isTouchAwaited = calls.isLong(at: clock.boot(), by: ObjectIdentifier(worker.host))
            return sightings.substitute(for: token, isTouchAwaited: isTouchAwaited, waited: waited)
        }.outcome
    }

    private func beginLook(
        _ ask: @escaping () async -> Look.Outcome,
        noting note: @escaping (Look, Look.Outcome) -> Void
    ) -> Look {
        let look = Look()
        Task {  // ends with the look
            // Those who wait for it ask themselves every half second whether an earlier one will do.
            let outcome = await clock.ticking(
                every: TokenCalls.long / 2,
                {
                    look.endStep()
                    return true
                }, during: ask)
            note(look, outcome)
            look.end(with: outcome)
        }
        return look
    }

    /// Waits for a look, for as long as nothing that was seen earlier will do instead.
    ///
    /// - Parameter earlier: Gets for how long the look has been waited for, in milliseconds.
    /// - Returns: `isFresh` is false for what was seen earlier.
    private func outcome(
        of look: Look, or earlier: (_ waited: Int64) -> [TokenSnapshot]?
    ) async -> (outcome: Look.Outcome, isFresh: Bool) {
        let began = clock.boot()
        while !Task.isCancelled {
            if let outcome = await look.outcome() { return (outcome, true) }
            if let earlier = earlier(clock.boot() - began) { return (.success(earlier), false) }
        }
        return (.failure(.stopped), false)
    }

    private func ask(_ host: WorkerHost, _ scope: ListScope) async -> Look.Outcome {
        await host.ask(.list(scope), deadline: launch.deadlines.list).flatMap { reply in
            guard case .tokens(let tokens) = reply else { return .failure(.confused) }
            return .success(tokens)
        }
    }

    // MARK: The workers

    private var hosts: [WorkerHost] { [lister] + workers.values.map(\.host).filter { $0 !== lister } }

    /// The most tokens in use: each has a process, and a module may show thousands.
    static let mostWorkers = 64

    /// - Returns: Nil where too many other tokens are in use.
    private func worker(of token: TokenDescription) async -> TokenWorker? {
        if workers[token] == nil, workers.count >= Self.mostWorkers { await endIdleWorkers() }
        if let worker = workers[token] { return worker }
        guard workers.count < Self.mostWorkers else { return nil }
        let isAlone = workers.isEmpty && sightings.showsOnly(token)
        let worker = TokenWorker(
            host: isAlone ? lister : newHost(),
            signatures: TurnQueue(places: configuration.sessions + min(configuration.sessions, Self.mostNext)))
        workers[token] = worker
        return worker
    }

    /// Ends the workers that hold no login and have nothing to do.
    private func endIdleWorkers() async {
        for (token, worker) in workers where await worker.host.isIdle { await forget(token) }
    }

    private func newHost() -> WorkerHost {
        WorkerHost(launch, on: executor, calls: calls, isStopped: isStopped)
    }

    /// After a login or a logout a token shows other things: no look that began before is joined. The last listing stays for
    /// the time in which a person's touch keeps the module from looking.
    private func outdate(of token: TokenDescription) {
        guard let worker = workers[token] else { return }
        sightings.outdate(token)
        workers[token]?.look = nil
        if worker.host === lister { listing = nil }
    }

    /// Ends the workers of tokens that are gone, and gives the listing to another worker where the present one has a
    /// token to itself and is no longer alone with it.
    private func arrange(_ listed: [TokenSnapshot]) async {
        // Nothing is logged in where there is no token. pcscd tells what happens in card readers.
        if await !usesCardReaders, emptiness.note(isEmpty: listed.isEmpty, at: clock.boot()) { await lister.restart() }
        let arrangement = WorkerSightings.arrangement(
            listed: listed.map(\.token), workers: Set(workers.keys),
            lister: workers.first { $0.value.host === lister }?.key)
        for token in arrangement.gone { await forget(token) }
        switch arrangement.lister {
        case .unchanged: break
        case .new: if workers.values.contains(where: { $0.host === lister }) { lister = newHost() }
        case .worker(let token):
            guard let only = workers[token]?.host, only !== lister else { return }
            let spare = lister
            lister = only
            await spare.drop()
        }
    }

    /// A worker whose token is gone is ended without another word: OpenSC hangs for ever in the first call after a card
    /// was pulled out of a signature, and the card that comes back is not logged in.
    private func forget(_ token: TokenDescription) async {
        guard let worker = workers.removeValue(forKey: token) else { return }
        sightings.forget(token)
        if worker.host === lister { lister = newHost() }
        await worker.host.drop()
    }
}
