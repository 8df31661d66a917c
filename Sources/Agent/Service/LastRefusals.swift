import AgentAPI
import Clocks
import Prompts
import Synchronization
import UTCTime

/// The refusals that `status` tells of, noted as they happen.
final class LastRefusals: Sendable {
    private let log: Mutex<RefusalLog>
    private let clock: AgentClock

    init(of profiles: some Sequence<ProfileName>, clock: AgentClock) {
        log = Mutex(RefusalLog(profiles: Set(profiles)))
        self.clock = clock
    }

    /// Called before the program has its answer, after which it may end, and on the event loop: nothing here waits for that
    /// program, which can be anybody's.
    func note(_ problem: Problem, of profile: ProfileName, to peer: Peer) {
        let second = clock.wall() / 1000
        let program =
            log.withLock { $0.mayLookUp(at: second) }
            ? Ancestry(of: peer.pid, readsMemory: false).programs.first?.name : nil
        let refusal = RefusalLog.Refusal(
            program: program, uid: peer.uid, time: second, code: problem.code, detail: problem.detail)
        log.withLock { $0.note(refusal, of: profile) }
    }

    /// A reload.
    func keep(_ profiles: some Sequence<ProfileName>) { log.withLock { $0.keep(Set(profiles)) } }

    /// The newest first.
    func listing(of profile: ProfileName) -> [ProfileStatus.Refusal] {
        log.withLock { $0.refusals(of: profile) }.map { refusal in
            ProfileStatus.Refusal(
                program: refusal.program, uid: refusal.uid,
                time: "\(UTCTime(secondsSince1970: refusal.time))", code: refusal.code.rawValue,
                detail: refusal.detail)
        }
    }
}
