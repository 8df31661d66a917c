import Clocks
import Glibc
import Logging
import TokenService

/// The process that watches pcscd, started when the first module turns out to need pcscd, and what it told last.
actor CardReaders {
    private let executable: String
    private let starting: WorkerStart
    private let clock: AgentClock
    private let log: Logger
    private let abandonedCards: AbandonedCards
    /// The reset of cards that is under way.
    private var resetting: Task<Void, Never>?
    private var watching: Task<Void, Never>?
    private var watcher: (any WorkerConnection)?
    private var report: ReaderReport?
    /// When a card last came or went, by the reader's name.
    private var moves: [String: ContinuousClock.Instant] = [:]
    private var firstReport: [CheckedContinuation<Void, Never>] = []
    /// Why there is no watcher, where there should be one.
    private(set) var failure: String?
    /// Every report but those that were followed by another before it was taken.
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

    /// The readers at this moment, and the programs that may hold those that are held.
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
            case .unreachable(let failure): log.warning("pcscd cannot be used", metadata: ["why": "\(failure.reason)"])
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

    // MARK: Cards that are left logged in

    /// pcscd asks many readers for their cards every 400 ms. A worker often ends because its card is pulled: a reset before
    /// pcscd has seen that leaves the reader with a card that does not answer.
    private static let rest: Int64 = 600

    /// Resets the cards that ended workers have left logged in, for as long as the agent runs.
    func resetAbandonedCards() async {
        for await _ in abandonedCards.news { await settle() }
    }

    /// Returns when no card is left that a worker has abandoned: a reset would take the next login away as well.
    func settle() async {
        let cards = abandonedCards.take()
        guard !cards.isEmpty || resetting != nil else { return }
        let before = resetting
        let task = Task {  // awaited right here
            await before?.value
            if !cards.isEmpty { try? await self.clock.sleep(Self.rest) }  // cancelled: the agent ends
            for card in cards where !self.hasMoved(card) { await self.reset(card.reader) }
        }
        resetting = task
        await task.value
        if resetting == task { resetting = nil }
    }

    /// Whether the reader's card was taken out since, or the reader itself: another card must be left alone, above all while
    /// a module looks at it for the first time.
    private func hasMoved(_ card: AbandonedCard) -> Bool {
        moves.contains { Array($0.key.utf8.prefix(64)) == card.reader && $0.value > card.verified }
    }

    /// Keeps when cards came and went.
    private func noteMoves(in new: ReaderReport) {
        for reader in Set(new.readers.map(\.name) + (report?.readers.map(\.name) ?? [])) {
            let (before, after) = (report?.reader(reader), new.reader(reader))
            if before?.events != after?.events || before?.card != after?.card { moves[reader] = .now }
        }
        moves = moves.filter { new.reader($0.key) != nil || ContinuousClock.now - $0.value < .seconds(600) }
    }

    private func reset(_ reader: [UInt8]) async {
        let name = String(decoding: reader, as: UTF8.self)
        // Another program may be at work on the card, and finishes that first.
        let answer = await watcher?.ask(.readers(.reset(reader)), deadline: 10_000, clock: clock)
        switch answer {
        case .success(.reset):
            log.notice("card reset: its worker ended without a logout", metadata: ["reader": "\(name)"])
        case .success(.failed(let failure)): warn(name, failure.text)
        case .success: warn(name, "the watcher of card readers gave another answer than the one asked for")
        case .failure(let loss): warn(name, "\(loss)")
        case nil: warn(name, "the watcher of card readers does not run")
        }
    }

    private func warn(_ reader: String, _ reason: String) {
        log.warning(
            "a card was left logged in by its worker, and could not be reset: remove it",
            metadata: ["reader": "\(reader)", "why": "\(reason)"])
    }
}

extension ReaderReport {
    fileprivate func reader(_ name: String) -> CardReader? { readers.first { $0.name == name } }
}

extension ServiceFailure {
    /// What is wrong with pcscd, and what to do, in one line.
    var reason: String {
        switch self {
        case .notRunning: "pcscd is not running: start it with 'systemctl enable --now pcscd.socket'"
        case .stopped: "pcscd has stopped: start it again with 'systemctl restart pcscd.socket'"
        case .forbidden: "pcscd's socket is closed to user \(geteuid()): see the mode of /run/pcscd/pcscd.comm"
        case .refused:
            "pcscd refuses user \(geteuid()): allow org.debian.pcsc-lite.access_pcsc and "
                + "org.debian.pcsc-lite.access_card in a polkit rule"
        case .silent: "pcscd does not answer: restart it with 'systemctl restart pcscd'"
        }
    }
}
