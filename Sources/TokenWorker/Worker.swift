import CLinux
import Dispatch
import Glibc
import ModuleFiles
import PKCS11
import TokenService

/// A worker: one PKCS#11 module, its sessions and its logins, in a process that may be killed at any moment. Or, for one
/// answer, what p11-kit has registered.
package enum Worker {
    /// Serves the agent at the other end of `socket` until it is gone.
    ///
    /// - Parameters:
    ///   - signatures: The socket on which it asks for signatures.
    ///   - duty: What a keeper does beside a worker's work.
    /// - Returns: The exit code.
    package static func run(socket: Int32, signatures: Int32, duty: ManagementDuty? = nil) -> Int32 {
        guard clinux_harden_process() == 0 else { return 71 }  // EX_OSERR: nothing sensible runs unprotected
        // What a crash report shows is memory, and a module crashes where the PIN is.
        guard clinux_turn_off_crash_reports() == 0 else { return 71 }
        // Programs that the module starts must not speak to the agent, nor keep the socket open.
        guard fcntl(socket, F_SETFD, FD_CLOEXEC) == 0, fcntl(signatures, F_SETFD, FD_CLOEXEC) == 0 else { return 71 }
        for ignored in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { signal(ignored, SIG_IGN) }  // the socket's end is the end
        let channel = AgentChannel(socket: socket)
        guard let first = channel.receive() else { return 64 }
        do throws(WorkerFailure) {
            switch first.request {
            case .load(let load):
                try load.walls.putUp()
                return serve(channel, PacketSocket(descriptor: signatures), loading: load, first.number, duty)
            case .registeredModules:
                try WorkerWalls(writable: ["/dev/null"]).putUp()
                return tellRegisteredModules(channel, first.number)
            default: return 64
            }
        } catch {
            channel.send(.failed(error), to: first.number)
            return 71
        }
    }

    /// Asks p11-kit, which may hang in its files, while this thread sees the agent's end.
    private static func tellRegisteredModules(_ channel: AgentChannel, _ number: UInt32) -> Int32 {
        DispatchQueue(label: "p11-kit").async {
            do throws(PKCS11Error) {
                let modules = try RegisteredLibrary.all().map {
                    RegisteredModule(
                        name: $0.name, path: $0.path, initArguments: $0.initArguments, isTrusted: $0.isTrusted)
                }
                channel.send(.registeredModules(modules), to: number)
            } catch {
                channel.send(.failed(WorkerFailure(error)), to: number)
            }
        }
        while channel.receive() != nil {}
        _exit(0)
    }

    /// The thread that reads does nothing else, so that the agent's end is seen while a call into the module hangs, the
    /// loading among them. Threads that sign read what they are asked for themselves.
    private static func serve(
        _ channel: AgentChannel, _ signatures: PacketSocket, loading load: ModuleLoad, _ number: UInt32,
        _ duty: ManagementDuty?
    ) -> Int32 {
        let controls = WorkQueue<AgentChannel.Received?>()
        let renewal = SessionRenewal()
        let logOuts = LogOuts()
        let ended = DispatchSemaphore(value: 0)
        DispatchQueue(label: "control").async {
            let lanes = SigningLanes()
            let module = Self.load(load, renewal, lanes, channel, number, duty)
            lanes.start(of: module, signatures, logOuts)
            var control = TokenControl(module: module, isLogOutWanted: { logOuts.areWaiting }) {
                channel.send(.verifiedCards($0), to: 0)
            }
            while let job = controls.next() {
                if case .logOut = job.request { logOuts.noteTaken() }
                if let reply = module.serving({ control.answer(job.request, pin: job.pin) }) {
                    channel.send(reply, to: job.number)
                } else {
                    controls.add(job)  // behind the log-out
                }
            }
            try? control.logOut(nil)  // the end of the process does the rest
            ended.signal()
        }
        while let received = channel.receive() {
            switch received.request {
            case .renewSessions:
                renewal.wish()
                channel.send(.renewed, to: received.number)
            case .logOut:
                logOuts.noteArrival(received.number)
                controls.add(received)
            default: controls.add(received)
            }
        }
        // The agent is gone: nobody would learn what became of a PIN that is still to be sent, so it is not. The card
        // must not stay logged in; a module that hangs must not keep this process.
        logOuts.noteEnd()
        controls.replaceAll(with: nil)
        _ = ended.wait(timeout: .now() + .milliseconds(900))
        _exit(0)  // no C_Finalize, no destructors: modules crash and hang there
    }

    /// Ends the process where the module cannot be loaded.
    private static func load(
        _ load: ModuleLoad, _ renewal: SessionRenewal, _ lanes: SigningLanes, _ channel: AgentChannel,
        _ number: UInt32, _ duty: ManagementDuty?
    ) -> LoadedModule {
        func refuse(_ failure: WorkerFailure) -> Never {
            channel.send(.failed(failure), to: number)
            _exit(66)
        }
        var looked = load
        do throws(ModuleFile.Failure) {
            looked.path = try ModuleFile.library(at: load.path)
        } catch {
            refuse(WorkerFailure(.notLoaded, text: error.reason))
        }
        let load = looked
        do throws(PKCS11Error) {
            let module = try LoadedModule(
                load, renewal: renewal, agent: channel, duty: duty, closeIdleSessions: lanes.closeIdleSessions)
            let information = try? module.module.information()  // a library that does not know its name may work
            channel.send(
                .loaded(
                    ModuleReport(
                        manufacturer: information?.manufacturer ?? [], description: information?.description ?? [],
                        version: information?.version ?? "", usesCardReaders: module.usesCardReaders)), to: number)
            return module
        } catch {
            var failure = WorkerFailure(error)
            failure.kind = .notLoaded
            if error.returnValue == .argumentsBad, load.initArguments == nil {
                failure.text += "; if it needs an init string, write it as init-arguments"
            } else if error.returnValue != nil {  // the linker's errors are about files
                failure.text += load.advice
            }
            refuse(failure)
        }
    }
}
