import CSystemd
import Dispatch
import Glibc
import Synchronization

/// Listens to logind, on a thread of its own, for as long as the process runs: over a bus that may go and come again.
package final class SessionWatch: Sendable {
    /// The events, in order.
    package let events: AsyncStream<SessionEvent>
    private let continuation: AsyncStream<SessionEvent>.Continuation
    private let address: String
    private let uid: UInt32
    private let log: @Sendable (String) -> Void
    private let state = Mutex(State())

    private struct State {
        var isStarted = false
        var isStopped = false
        /// Nil while logind is heard.
        var failure: String? = "logind is not heard yet"
        /// The descriptor that delays the machine's sleep, or -1.
        var inhibitor: Int32 = -1
        /// Why nothing delays it although logind is heard.
        var sleepFailure: String?
    }

    private static let longestPause: UInt32 = 30

    /// - Parameters:
    ///   - address: Of the system's bus; nil for the usual one.
    ///   - uid: Whose sessions matter.
    ///   - log: Gets a line when the bus is found or lost, on the watch's thread.
    package init(address: String?, uid: UInt32, log: @escaping @Sendable (String) -> Void) {
        self.address = address ?? "unix:path=/run/dbus/system_bus_socket"
        self.uid = uid
        self.log = log
        (events, continuation) = AsyncStream.makeStream()
    }

    deinit { allowSleep() }

    /// Begins to listen; another call does nothing.
    package func start() {
        let isFirst = state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
        if isFirst { DispatchQueue(label: "logind").async { self.run() } }
    }

    /// Ends `events`; the thread ends with its next look.
    package func stop() {
        state.withLock { $0.isStopped = true }
        continuation.finish()
        allowSleep()
    }

    /// Why nothing is heard, in one line; nil while all is well.
    package var failure: String? { state.withLock(\.failure) }

    /// Why the machine does not wait with its sleep while events are heard, in one line; nil where it does.
    package var sleepFailure: String? { state.withLock(\.sleepFailure) }

    /// Lets the machine sleep: what had to be done before is done.
    package func allowSleep() { replaceInhibitor(with: -1) }

    private var isStopped: Bool { state.withLock(\.isStopped) }

    private func run() {
        guard address.hasPrefix("unix:") else {
            return tell("the system bus is at \(address), which is no Unix socket")
        }
        if let reason = unsafe csystemd_load() { return tell(unsafe String(cString: reason)) }
        var pause: UInt32 = 1
        var sessions = UserSessions()
        while !isStopped {
            do throws(MessageBus.Failure) {
                guard let logind = try Logind.connect(address: address, uid: uid) else {
                    tell("there is no logind on the system bus")
                    wait(&pause)
                    continue
                }
                tell(nil)
                pause = 1
                try listen(to: logind, since: &sessions)
                tell("logind has left the system bus")
            } catch {
                tell("the system bus at \(address): \(error)")
            }
            // logind no longer waits for us before it sleeps; and while the machine sleeps, this line does not run.
            allowSleep()
            state.withLock { $0.sleepFailure = nil }  // `failure` says more
            continuation.yield(.awake)
            wait(&pause)
        }
    }

    /// - Parameter sessions: Their last known state, perhaps from before the bus went and came again.
    private func listen(to logind: borrowing Logind, since sessions: inout UserSessions) throws(MessageBus.Failure) {
        delaySleep(by: logind)
        sessions.paths = []
        var isOutdated = true
        while !isStopped {
            // All waiting signals are read before the sessions are asked for, so that a flood costs one question.
            switch try logind.next(within: isOutdated ? 0 : 60_000) {
            case .sleep(isAboutTo: true)?: continuation.yield(.sleeping)
            case .sleep(isAboutTo: false)?:
                delaySleep(by: logind)
                continuation.yield(.awake)
            case .lockRequested(let path)? where sessions.paths.contains(path): continuation.yield(.screenLockRequested)
            case .lockRequested?: break
            case .sessions?: isOutdated = true
            case .gone?: return
            case nil where isOutdated:
                let now = try logind.sessions()
                for event in now.events(since: sessions) { continuation.yield(event) }
                sessions = now
                isOutdated = false
            case nil: break
            }
        }
    }

    /// Has the machine wait with its next sleep. Sessions and screens are heard where it does not, and sleep as well.
    private func delaySleep(by logind: borrowing Logind) {
        let failure: String?
        do throws(MessageBus.Failure) {
            replaceInhibitor(with: try logind.delaySleep() ?? -1)
            failure = nil
        } catch {
            allowSleep()
            // Every user may, by logind's own policy; without polkit, root alone may. sd-bus makes ERFKILL of a unit that is
            // masked.
            failure =
                [EACCES, ERFKILL].contains(error.errno)
                ? "polkit does not run, or refuses org.freedesktop.login1.inhibit-delay-sleep: install polkitd"
                : "logind's Inhibit: \(error)"
        }
        note(failure, \.sleepFailure, orElse: "sleep waits again")
    }

    private func wait(_ pause: inout UInt32) {
        for _ in 0..<pause where !isStopped { sleep(1) }
        pause = min(pause * 2, Self.longestPause)
    }

    private func replaceInhibitor(with new: Int32) {
        let old = state.withLock { state in
            defer { state.inhibitor = new }
            return state.inhibitor
        }
        if old >= 0 { close(old) }
    }

    private func tell(_ failure: String?) { note(failure, \.failure, orElse: "logind is heard") }

    /// Keeps a failure, or that there is none, and logs what is new.
    private func note(_ failure: String?, _ place: WritableKeyPath<State, String?> & Sendable, orElse well: String) {
        let isNew = state.withLock { state in
            defer { state[keyPath: place] = failure }
            return state[keyPath: place] != failure
        }
        if isNew { log(failure ?? well) }
    }
}
