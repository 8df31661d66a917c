import Clocks
import Logging
import TokenService

/// The process that watches pcscd, started when the first module turns out to need pcscd, and what it told last.
actor CardReaders {
    private let executable: String
    private let starting: WorkerStart
    let clock: AgentClock
    let log: Logger
    let abandonedCards: AbandonedCards
    /// The reset of cards that is under way.
    var resetting: Task<Void, Never>?
    private var watching: Task<Void, Never>?
    private(set) var watcher: (any WorkerConnection)?
    private(set) var report: ReaderReport?
    /// When a card last came or went, by the reader's name.
    var moves: [String: ContinuousClock.Instant] = [:]
    private var firstReport: [CheckedContinuation<Void, Never>] = []
    /// Why there is no watcher, where there should be one.
    private(set) var failure: String?
    /// Every report but those that were followed by another before anybody looked.
    nonisolated let reports: AsyncStream<ReaderReport>
    private let reported: AsyncStream<ReaderReport>.Continuation

    /// The watcher answers after 20 s without news: later than this, it or pcscd hangs.
    private static let deadline: Int64 = 30_000

    /// - Parameter abandonedCards: What the workers leave behind, which is reset here.
    init(
        executable: String, starting: WorkerStart, abandonedCards: AbandonedCards, clock: AgentClock, log: Logger
    ) {
        self.starting = starting
        self.abandonedCards = abandonedCards
        self.executable = executable
        self.clock = clock
        self.log = log
        (reports, reported) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Starts the watcher where none runs.
    ///
    /// - Parameter environment: The module's. One watcher serves all modules: they are taken to use one pcscd.
    func start(environment: [String: String]) {
        guard watching == nil else { return }
        let variable = "PCSCLITE_CSOCK_NAME"  // where libpcsclite finds pcscd
        let environment = environment.filter { $0.key == variable }
        watching = Task { await self.watch(environment) }  // ended by `stop`
    }

    func stop() async {
        reported.finish()
        watching?.cancel()
        watcher?.kill(.stopped)
        await watching?.value
    }

    /// What is known; right after the start, as soon as something is.
    func latest() async -> ReaderReport? {
        guard report == nil, watching != nil, failure == nil else { return report }
        await clock.ticking(every: 2000) {
            await self.endWaiting()
            return false
        } during: {
            await withCheckedContinuation { firstReport.append($0) }
        }
        return report
    }

    /// The readers at this moment, and who may hold those that are held.
    func now() async -> ReaderReport? {
        guard let watcher,
            case .success(.readers(let report)) = await watcher.ask(.readers(.now), deadline: 2000, clock: clock)
        else { return report }
        return report
    }

    private func watch(_ environment: [String: String]) async {
        var pause: Int64 = 100
        while !Task.isCancelled {
            do throws(WorkerLoss) {
                let output = WorkerOutput(module: executable, log: log)
                let watcher = try starting.start(
                    WorkerStart.Program(
                        executable: executable, environment: environment, output: { output.note($0) }))
                self.watcher = watcher
                defer {
                    watcher.kill(.stopped)
                    self.watcher = nil
                }
                var version: UInt64 = 0
                while true {
                    let reply = try await watcher.ask(
                        .readers(.after(version)), deadline: Self.deadline, clock: clock
                    ).get()
                    guard case .readers(let report) = reply else { throw WorkerLoss(cause: .ended("it made no sense")) }
                    pause = 100
                    version = report.version
                    note(report)
                }
            } catch {
                if !Task.isCancelled { note(error) }
            }
            // An error means cancelled, which the loop sees.
            try? await clock.sleep(pause)
            pause = min(pause * 2, 30_000)
        }
    }

    private func note(_ report: ReaderReport) {
        failure = nil
        defer { endWaiting() }
        guard report != self.report else { return }
        if report.service != self.report?.service {
            switch report.service {
            case .reachable: log.notice("watching card readers", metadata: ["readers": "\(report.readers.count)"])
            case .unreachable(let trouble): log.warning("pcscd cannot be used", metadata: ["why": "\(trouble.reason)"])
            }
        }
        noteMoves(in: report)
        self.report = report
        reported.yield(report)
    }

    private func note(_ loss: WorkerLoss) {
        if case .deadline = loss.cause {
            note(ReaderReport(version: 0, service: .unreachable(.silent), readers: []))
            return
        }
        if failure == nil { log.warning("the watcher of card readers is lost", metadata: ["why": "\(loss)"]) }
        failure = "\(loss)"
        endWaiting()
    }

    private func endWaiting() {
        for waiting in firstReport { waiting.resume() }
        firstReport = []
    }
}
