import Dispatch
import Synchronization
import TokenService

/// The threads that sign. Each reads the next request itself, so that none waits for a thread that reads and hands on.
final class SigningLanes: Sendable {
    private let lanes = Mutex<[Thread]>([])

    /// Starts as many as the module has sessions. They end with the agent, and with what makes no sense from it.
    func start(of module: LoadedModule, _ requests: PacketSocket, _ logOuts: LogOuts) {
        for number in 1...module.sessions {
            let thread = Thread(SigningLane(module: module))
            lanes.withLock { $0.append(thread) }
            DispatchQueue(label: "lane \(number)").async {
                let reader = PacketReader(requests)
                do throws(WireError) {
                    while let packet = try reader.receive() {
                        let request = try Request(kind: packet.header.kind, body: packet.body)
                        let place = logOuts.place(of: packet.header.number)
                        let reply = thread.use { lane in module.serving { lane.answer(request, place) } }
                        module.agent.send(reply, to: packet.header.number)
                    }
                } catch {
                    module.agent.hangUp()  // as where the other socket brings what is no request
                }
            }
        }
    }

    /// Closes the sessions of those that sign nothing at this moment.
    @Sendable func closeIdleSessions() { for lane in lanes.withLock({ $0 }) { lane.closeIdleSessions() } }

    /// One thread's lane, which others may only tidy up while it is idle.
    private final class Thread: Sendable {
        private let lane: Mutex<SigningLane>
        private let isBusy = Atomic(false)

        init(_ lane: sending SigningLane) { self.lane = Mutex(lane) }

        func use(_ body: (inout SigningLane) -> Reply) -> Reply {
            isBusy.store(true, ordering: .sequentiallyConsistent)
            defer { isBusy.store(false, ordering: .sequentiallyConsistent) }
            return lane.withLock { body(&$0) }
        }

        func closeIdleSessions() {
            guard !isBusy.load(ordering: .sequentiallyConsistent) else { return }  // it may be this very thread
            _ = lane.withLockIfAvailable { $0.closeIdleSessions() }
        }
    }
}
