import CLinux
import Dispatch
import Glibc
import PKCS11
import TokenService

/// A worker: one PKCS#11 module, its sessions and its logins, in a process that may be killed at any moment.
package enum Worker {
    /// Serves the agent at the other end of `socket` until it is gone.
    ///
    /// - Returns: The exit code.
    package static func run(socket: Int32) -> Int32 {
        guard clinux_harden_process() == 0 else { return 71 }  // EX_OSERR: nothing sensible runs unprotected
        for ignored in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { signal(ignored, SIG_IGN) }  // the socket's end is the end
        let channel = AgentChannel(socket: socket)
        guard let first = channel.receive(), case .load(let path, let sessions) = first.request else { return 64 }
        let number = first.number
        do throws(PKCS11Error) {
            let module = try LoadedModule(path: path, sessions: Int(max(1, sessions)))
            let information = try module.module.information()
            channel.send(
                .loaded(
                    ModuleReport(
                        manufacturer: information.manufacturer, description: information.description,
                        version: information.version)), to: number)
            serve(module, channel)
            return 0
        } catch {
            var failure = WorkerFailure(error)
            failure.kind = .notLoaded
            channel.send(.failed(failure), to: number)
            return 66
        }
    }

    private static func serve(_ module: LoadedModule, _ channel: AgentChannel) {
        let controls = WorkQueue<AgentChannel.Received?>()
        let signatures = WorkQueue<(number: UInt32, request: SignRequest)>()
        let ended = DispatchSemaphore(value: 0)
        DispatchQueue(label: "control").async {
            var control = TokenControl(module: module)
            while let job = controls.next() { channel.send(control.answer(job), to: job.number) }
            control.logOut(nil)
            ended.signal()
        }
        for lane in 1...module.sessions {
            DispatchQueue(label: "lane \(lane)").async {
                var lane = SigningLane(module: module)
                while true {
                    let job = signatures.next()
                    channel.send(lane.sign(job.request), to: job.number)
                }
            }
        }
        while let received = channel.receive() {
            if case .sign(let request) = received.request {
                signatures.add((received.number, request))
            } else {
                controls.add(received)
            }
        }
        // The agent is gone. The card must not stay logged in; a module that hangs must not keep this process.
        controls.add(nil)
        _ = ended.wait(timeout: .now() + .seconds(2))
        _exit(0)  // no C_Finalize, no destructors: modules crash and hang there
    }
}

extension TokenControl {
    fileprivate mutating func answer(_ received: AgentChannel.Received) -> Reply {
        do throws(PKCS11Error) {
            switch received.request {
            case .list: return .tokens(try list())
            case .logIn(let request): return logIn(request, typed: received.pin)
            case .logOut(let token):
                logOut(token)
                return .loggedOut
            case .load, .sign:
                return .failed(WorkerFailure(.protocol, text: "the module is loaded once, and signs elsewhere"))
            }
        } catch {
            return .failed(WorkerFailure(error))
        }
    }
}
