import FoundationEssentials
import Synchronization

/// Answers requests: the two services, and the tests' controls under `/_emulator/`.
package final class EmulatorService: Sendable {
    private struct State {
        var resources: Resources
        var sessions = SessionTable()
        var usedCodes = UsedCodes()
        var faults = FaultQueue()
        var rate: RateLimit?
        var counters = Counters()
        var last: Trace?

        mutating func takeFault(for endpoint: Fault.Endpoint) -> Fault? {
            let fault = faults.take(for: endpoint)
            counters.faults += fault == nil ? 0 : 1
            return fault
        }
    }

    private let state: Mutex<State>
    let clock: @Sendable () -> UTCTime
    private let latencyMilliseconds: Int64
    private let hostNames: Set<String>?

    /// - Parameter clock: The service's clock; a test may give one that is wrong.
    package init(
        _ configuration: EmulatorConfiguration, clock: @escaping @Sendable () -> UTCTime = { .now }
    ) {
        let offset = configuration.clockOffsetSeconds
        self.clock = { clock().advanced(by: offset) }
        latencyMilliseconds = Int64(configuration.latencyMilliseconds)
        hostNames = configuration.hostNames
        state = Mutex(
            State(
                resources: configuration.resources, faults: FaultQueue(faults: configuration.faults),
                rate: configuration.ratePerSecond.map(RateLimit.init)))
    }

    /// Takes new resources; sessions, faults and counters stay.
    package func replaceResources(of configuration: EmulatorConfiguration) {
        state.withLock { $0.resources = configuration.resources }
    }

    package func noteConnection() { state.withLock { $0.counters.connections += 1 } }

    package func noteHandshake() { state.withLock { $0.counters.tlsHandshakes += 1 } }

    package func handle(_ request: ReceivedRequest) -> Answer {
        switch (request.method, request.path) {
        case ("POST", "/sessions"): createSession(request)
        case ("POST", "/"): answerSTS(request)
        case ("PUT", "/_emulator/faults"): stamped(setFaults(request.body))
        case ("DELETE", "/_emulator/faults"): stamped(noting(204) { $0.faults.faults = [] })
        case ("GET", "/_emulator/counters"): stamped(.json(state.withLock { $0.counters }))
        case ("GET", "/_emulator/last"):
            stamped(state.withLock { $0.last }.map { .json($0) } ?? .empty(404))
        case (_, "/_emulator/redirected"): stamped(noting(404) { $0.counters.redirectsFollowed += 1 })
        default: stamped(.refusal(.notFound("No operation has this method and path")))
        }
    }
}

// MARK: CreateSession

extension EmulatorService {
    private func createSession(_ request: ReceivedRequest) -> Answer {
        let now = clock()
        let (resources, fault, isThrottled) = state.withLock { state in
            state.counters.createSessionRequests += 1
            let isThrottled = state.rate?.admits() == false
            return (state.resources, isThrottled ? nil : state.takeFault(for: .sessions), isThrottled)
        }
        var answer: Answer
        if isThrottled {
            answer = refuse(.throttled, Trace(request))
        } else if let replacement = fault?.replacement(for: .sessions) {
            answer = replacement
        } else {
            answer = judge(request, resources, fault, at: now)
        }
        answer.delayMilliseconds = latencyMilliseconds
        return stamped(answer, fault)
    }

    private func judge(_ request: ReceivedRequest, _ resources: Resources, _ fault: Fault?, at now: UTCTime) -> Answer {
        var trace = Trace(request)
        let grant: SessionGrant
        do {
            grant = try CreateSession(resources: resources, now: now, hostNames: hostNames).grant(
                request, trace: &trace)
        } catch {
            return refuse(error, trace)
        }
        let session = IssuedSession(grant)
        state.withLock { state in
            state.sessions.insert(session)
            state.counters.sessionsCreated += 1
            state.last = trace
        }
        var content = CreateSessionAnswer(session, grant)
        fault?.spoil(&content, at: now)
        var answer = Answer.json(content, status: 201)
        fault?.spoil(&answer)
        return answer
    }

    private func refuse(_ refusal: Refusal, _ trace: Trace) -> Answer {
        note(trace, code: refusal.code, message: refusal.message, detail: refusal.detail)
        return .refusal(refusal)
    }
}

// MARK: IoT

extension EmulatorService {
    /// Whose certificates clients may show.
    var authorities: [[UInt8]] { state.withLock { $0.resources.iot.authorities } }

    func noteIoTHandshake(version: String, algorithm: String?) {
        state.withLock { state in
            state.counters.iotHandshakes[version, default: 0] += 1
            if let algorithm { state.counters.iotSignatures[algorithm, default: 0] += 1 }
        }
    }

    func beginIoT() -> (Resources, Fault?) {
        state.withLock { state in
            state.counters.iotRequests += 1
            return (state.resources, state.takeFault(for: .iot))
        }
    }

    func noteIoT(_ session: IssuedSession, _ trace: Trace) {
        state.withLock { state in
            state.sessions.insert(session)
            state.counters.iotSessions += 1
            state.last = trace
        }
    }
}

// MARK: STS

extension EmulatorService {
    /// Counts a request to STS, and gives what it is judged by.
    func beginSTS(_ action: String) -> (Resources, Callers, Fault?) {
        state.withLock { state in
            state.counters.stsCalls += 1
            state.counters.count(action)
            let callers = Callers(users: state.resources.users, sessions: state.sessions)
            return (state.resources, callers, state.takeFault(for: .sts))
        }
    }

    /// - Returns: False where the code was taken before.
    func take(_ step: Int64, of device: MFADevice) -> Bool {
        state.withLock { $0.usedCodes.take(step, of: device) }
    }

    /// Notes a request that was granted, and the session that it brought.
    func note(_ session: IssuedSession?, _ trace: Trace) {
        state.withLock { state in
            if let session {
                state.sessions.insert(session)
                state.counters.stsSessions += 1
            }
            state.last = trace
        }
    }
}

// MARK: Shared by both, and the controls

extension EmulatorService {
    func note(_ trace: Trace, code: String, message: String, detail: String?) {
        var trace = trace
        trace.verdict = "refused"
        trace.code = code
        trace.message = message
        trace.detail = detail
        state.withLock { state in
            state.counters.refused[code, default: 0] += 1
            state.last = trace
        }
    }

    func stamped(_ answer: Answer, _ fault: Fault? = nil) -> Answer {
        var answer = answer
        let skew = fault?.kind == .dateSkew ? fault?.seconds ?? 3600 : 0
        answer.headers.append(("Date", clock().advanced(by: skew).httpDate))
        answer.headers.append(("x-amzn-RequestId", UUIDText.random()))
        return answer
    }

    /// Adds one fault, or an array of them, after those that are waiting.
    private func setFaults(_ body: [UInt8]) -> Answer {
        let data = Data(body)
        do {
            let isArray = body.first { !" \t\r\n".utf8.contains($0) } == UInt8(ascii: "[")
            let faults =
                try isArray
                ? JSONDecoder().decode([Fault].self, from: data) : [JSONDecoder().decode(Fault.self, from: data)]
            return noting(204) { $0.faults.faults += faults }
        } catch {
            return .json(["message": "this is not a fault: \(error)"], status: 400)
        }
    }

    /// An empty answer after a change of the state.
    private func noting(_ status: Int, _ change: (inout State) -> Void) -> Answer {
        state.withLock { change(&$0) }
        return .empty(status)
    }
}
