import Clocks
import Dispatch
import Logging
import ModuleFiles
import PKCS11URI
import Synchronization
import Testing
import TokenService

@testable import Tokens

@Suite("A module and its workers")
struct ModuleHostTests {
    private static let token = TokenDescription(label: [1], manufacturer: [], model: [], serial: [])
    private static let shown = TokenSnapshot(
        slotID: 1, token: token, flags: [], isLoggedIn: false, pinLength: 4...8, certificates: [], keys: [])

    /// What ends a worker while it is asked.
    enum End: String, CaseIterable, Sendable {
        case cardPulled, tokenRemoved, serviceRestarted

        func callAsFunction(_ host: ModuleHost) async {
            switch self {
            case .cardPulled: await host.abandon()
            case .tokenRemoved: await host.forget(removed: token)
            case .serviceRestarted: await host.restart()
            }
        }
    }

    @Test(
        "A look outlives the end of three workers that it asks, as they list or as they start",
        arguments: End.allCases, [false, true])
    func replaced(_ end: End, asItStarts: Bool) async {
        let module = ListedModule(shown: Self.shown) { host, request, number in
            let isStart = if case .load = request { true } else { false }
            if number <= 3, isStart == asItStarts { await end(host) }
        }
        let sighting = await module.host().tokens()
        #expect(sighting.failure == nil && sighting.tokens == [Self.shown])
    }

    @Test("A look ends where every worker that it asks is ended") func endless() async {
        let module = ListedModule(shown: Self.shown) { host, _, _ in await host.abandon() }
        let sighting = await module.host().tokens()
        #expect(sighting.failure?.isByAgent == true && sighting.tokens.isEmpty)
    }

    @Test("A look asks no other worker once the module is stopped") func stopped() async {
        let module = ListedModule(shown: Self.shown) { host, _, _ in await host.stop() }
        let sighting = await module.host().tokens()
        #expect(sighting.failure?.isByAgent == true && module.workers == 1)
    }

    @Test("A module that names a folder that hangs holds up no other") func hangingFolder() async {
        let executor = TokensExecutor()
        let gone = DispatchSemaphore(value: 0)
        let (looks, look) = AsyncStream<Void>.makeStream()
        let hanging = ListedModule(shown: Self.shown) { _, _, _ in }.host(on: executor) { body in
            await WorkerStart.processes.look {
                look.finish()
                gone.wait()
                return body()
            }
        }
        let listing = Task { await hanging.tokens() }  // ends with `gone`
        for await _ in looks {}
        let other = ListedModule(shown: Self.shown) { _, _, _ in }.host(on: executor)
        #expect(await other.tokens().tokens == [Self.shown])
        gone.signal()
        #expect(await listing.value.tokens == [Self.shown])
    }

    @Test("A module whose folders cannot be looked at fails, and its worker is ended") func noLook() async {
        let module = ListedModule(shown: Self.shown) { _, _, _ in }
        let sighting = await module.host { _ in nil }.tokens()
        #expect(sighting.failure.map { "\($0)".contains("a file system that hangs") } == true && module.workers == 1)
    }
}

/// A module that shows one token, and what happens while its workers are asked.
private final class ListedModule: Sendable {
    private let state = Mutex(State())
    private let shown: TokenSnapshot
    private let meanwhile: @Sendable (ModuleHost, Request, Int) async -> Void

    private struct State {
        var host: ModuleHost?
        var workers = 0
    }

    /// - Parameter meanwhile: Gets the number of the worker that is asked to load or to list.
    init(shown: TokenSnapshot, meanwhile: @escaping @Sendable (ModuleHost, Request, Int) async -> Void) {
        self.shown = shown
        self.meanwhile = meanwhile
    }

    /// How many workers were started.
    var workers: Int { state.withLock(\.workers) }

    /// Its host, one for each call.
    func host(
        on executor: TokensExecutor = TokensExecutor(),
        look: @escaping @Sendable (@escaping @Sendable () -> Request) async -> Request? = { $0() }
    ) -> ModuleHost {
        let start = WorkerStart(
            identity: { ModuleFile.Identity(unseen: $0) }, stamp: { _ in nil }, look: look,
            start: { _ in
                let number = self.state.withLock { state in
                    state.workers += 1
                    return state.workers
                }
                return ListingWorker(shown: self.shown) { request in
                    guard let host = self.state.withLock(\.host) else { return }
                    await self.meanwhile(host, request, number)
                }
            })
        let module = ModuleConfiguration(location: .path("/module.so"))
        let host = ModuleHost(
            WorkerLaunch(
                configuration: module, path: "/module.so", executable: "", home: nil, ownFolders: [],
                abandonedCards: AbandonedCards(), start: start, clock: .system,
                log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })), on: executor)
        state.withLock { $0.host = host }
        return host
    }
}

/// A worker that loads and lists, unless it is ended meanwhile.
private final class ListingWorker: WorkerConnection {
    let processID = Int32.max  // no process has it
    private let shown: TokenSnapshot
    private let meanwhile: @Sendable (Request) async -> Void
    private let cause = Mutex<WorkerLoss.Cause?>(nil)

    init(shown: TokenSnapshot, meanwhile: @escaping @Sendable (Request) async -> Void) {
        self.shown = shown
        self.meanwhile = meanwhile
    }

    func ask(
        _ request: Request, secret: HeldPIN?, permit: CallPermit?, deadline: Int64,
        mayExpire: @escaping @Sendable () -> Bool, clock: AgentClock
    ) async -> Result<Reply, WorkerLoss> {
        if case .logOut = request { return .success(.loggedOut) }
        await meanwhile(request)
        if let cause = cause.withLock(\.self) { return .failure(WorkerLoss(cause: cause)) }
        guard case .load = request else { return .success(.tokens([shown])) }
        return .success(.loaded(ModuleReport(manufacturer: [], description: [], version: "")))
    }

    func kill(_ cause: WorkerLoss.Cause) { self.cause.withLock { $0 = $0 ?? cause } }
}
