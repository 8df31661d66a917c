import TokenService

extension WorkerHost {
    /// The worker, started if there is none; whoever asks meanwhile waits for the same.
    func running() async -> Running {
        guard !isStopped else { return .failure(.stopped) }
        let task: Task<Running, Never>
        switch state {
        case .running(let worker): return .success(worker)
        case .starting(let current): task = current
        case .idle:
            if let refusal = rest.refusal(at: clock.boot()) { return .failure(refusal) }
            task = Task { await self.start() }  // awaited right here, and by whoever joins
            state = .starting(task)
        }
        return await join(task)
    }

    /// Waits for a start, and settles who runs afterwards.
    func join(_ task: Task<Running, Never>) async -> Running {
        let result = await task.value
        switch state {
        case .starting(let current) where current == task:
            switch result {
            case .success(let worker): state = .running(worker)
            case .failure: state = .idle
            }
            return result
        case .running(let current):
            if case .success(let worker) = result, worker === current { return result }
        case .starting, .idle:
            // Who joined and is late finds that the first has noted the failure.
            if case .failure = result { return result }
        }
        // Ended while it was started, it is nobody's worker.
        if case .success(let worker) = result { worker.kill(.stopped) }
        return .failure(.stopped)
    }

    func start() async -> Running {
        let library: String
        switch launch.start.library(path) {
        case .success(let path): library = path
        case .failure(let failure): return .failure(failure)
        }
        let worker: any WorkerConnection
        var began = ContinuousClock.now
        do throws(WorkerLoss) {
            let output = WorkerOutput(module: path, log: log)
            worker = try launch.start.start(
                WorkerStart.Program(
                    executable: launch.executable, environment: configuration.environment,
                    abandonedCards: launch.abandonedCards, output: { output.note($0) }))
        } catch {
            return .failure(.lost(error))
        }
        noteStart()
        let load = Request.load(configuration.load(library: library, home: launch.home, own: launch.ownFolders))
        tell("start", since: began)
        began = .now
        let answer = await worker.ask(load, deadline: launch.deadlines.load, clock: clock)
        tell(load.name, since: began)
        switch answer {
        case .success(.loaded(let report)):
            self.report = report
            log.info(
                "module loaded",
                metadata: [
                    "module": "\(path)", "worker": "\(worker.processID)",
                    "library": "\(String(decoding: report.description, as: UTF8.self)) \(report.version)",
                ])
            return .success(worker)
        case .success(.failed(let failure)):
            worker.kill(.stopped)
            return .failure(.unavailable(failure.text))
        case .success:
            worker.kill(.stopped)
            return .failure(.confused)
        case .failure(let loss):
            log.warning(
                "worker lost as it started",
                metadata: ["module": "\(path)", "worker": "\(worker.processID)", "why": "\(loss)"])
            if loss.cause != .stopped { rest.noteDeath(at: clock.boot()) }
            return .failure(.lost(loss))
        }
    }
}
