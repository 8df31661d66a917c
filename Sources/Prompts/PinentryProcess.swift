import CLinux
package import Clocks
import Files
import Glibc
import Synchronization
import SystemPackage

/// One question to a person: a run of pinentry, or in tests a person who follows a script.
package protocol Pinentry: Sendable {
    /// - Parameter seconds: How long the person has.
    func ask(
        _ question: PromptQuestion, at place: PromptPlace, program: String, home: String?, seconds: Int,
        clock: AgentClock
    ) async -> PromptAnswer

    /// Ends it, so that `ask` returns soon. Its answer is not used.
    func end()
}

/// One run of pinentry: started for one question, ended with its answer.
package final class PinentryProcess: Pinentry {
    private let state = Mutex(State())

    package init() {}

    private struct State {
        /// Nil before the start, and from the moment on that its number may be another's.
        var processID: pid_t?
        var isEnded = false
    }

    /// Asks on a thread of its own: reading from a program blocks.
    package func ask(
        _ question: PromptQuestion, at place: PromptPlace, program: String, home: String?, seconds: Int,
        clock: AgentClock
    ) async -> PromptAnswer {
        await onOwnThread { () -> PromptAnswer in
            let terminal = place.terminal.flatMap { TerminalMemory($0) }
            var toProgram: [Int32] = [-1, -1]
            var fromProgram: [Int32] = [-1, -1]
            guard unsafe clinux_pipe(&toProgram) == 0 else { return .failed("no pipe: errno \(errno)") }
            guard unsafe clinux_pipe(&fromProgram) == 0 else {
                toProgram.forEach { close($0) }
                return .failed("no pipe: errno \(errno)")
            }
            let error = self.start(program, place, home: home, input: toProgram[0], output: fromProgram[1])
            close(toProgram[0])
            close(fromProgram[1])
            defer { close(fromProgram[0]) }
            guard error == 0 else {
                close(toProgram[1])
                return .failed("\(program) does not start: \(Errno(rawValue: error))")
            }
            // A little longer than pinentry's own time: its word is the better one.
            let deadline = clock.boot() + Int64(seconds) * 1000 + 2000
            let dialogue = PinentryDialogue(
                input: toProgram[1], output: fromProgram[0], deadline: deadline, clock: clock)
            let answer: PromptAnswer
            switch consume dialogue {
            case .some(var dialogue): answer = dialogue.ask(question, at: place, seconds: seconds)
            case nil: answer = .failed("no memory is left")
            }
            close(toProgram[1])  // ends a pinentry that is in order
            if !self.wait(clock) { terminal?.restore() }
            return answer
        }
    }

    package func end() {
        state.withLock { state in
            state.isEnded = true
            if let processID = state.processID { kill(processID, SIGTERM) }
        }
    }

    private func start(
        _ program: String, _ place: PromptPlace, home: String?, input: Int32, output: Int32
    ) -> Int32 {
        var variables = place.environment
        variables["PATH"] = "/usr/local/bin:/usr/bin:/bin"
        variables["HOME"] = home
        let arguments = CStrings([program])
        let environment = CStrings(variables.map { "\($0)=\($1)" }.sorted())
        return state.withLock { state in
            guard !state.isEnded else { return ECANCELED }
            var processID: pid_t = 0
            let error = unsafe clinux_spawn_on_pipes(
                program, arguments.pointers, environment.pointers, input, output, &processID)
            if error == 0 { state.processID = processID }
            return error
        }
    }

    /// Waits for its end, and makes it come.
    ///
    /// - Returns: Whether it ended by itself and in order.
    private func wait(_ clock: AgentClock) -> Bool {
        guard let processID = state.withLock({ $0.processID }) else { return true }
        let began = clock.boot()
        var signals = [(after: Int64(1000), signal: SIGTERM), (after: 2000, signal: SIGKILL)][...]
        while true {
            var information = unsafe siginfo_t()
            // It is not reaped yet, so that the number stays its own until no other thread can signal it.
            let result = uninterrupted {
                unsafe waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT | WNOHANG)
            }
            if unsafe result != 0 || information.si_signo == SIGCHLD { break }
            if let next = signals.first, clock.boot() - began >= next.after {
                signals.removeFirst()
                kill(processID, next.signal)
            }
            usleep(5000)
        }
        state.withLock { $0.processID = nil }
        var status: Int32 = 0
        _ = uninterrupted { unsafe waitpid(processID, &status, 0) }
        return status == 0
    }
}

/// How a terminal was before a program changed it: one that is killed leaves it without echo.
private struct TerminalMemory: ~Copyable {
    private let terminal: OpenFile
    private let attributes: termios

    /// Nil where the path is no terminal that the agent may use.
    init?(_ path: String) {
        let options: FileDescriptor.OpenOptions = [.init(rawValue: O_NOCTTY), .nonBlocking]
        guard let terminal = try? OpenFile(path, .readWrite, options: options) else { return nil }
        var attributes = termios()
        guard unsafe tcgetattr(terminal.number, &attributes) == 0 else { return nil }
        self.terminal = terminal
        self.attributes = attributes
    }

    func restore() {
        var attributes = attributes
        var held = sigset_t()
        var mask = sigset_t()
        unsafe sigemptyset(&held)
        unsafe sigaddset(&held, SIGTTOU)  // it would stop an agent in the background of this very terminal
        unsafe pthread_sigmask(SIG_BLOCK, &held, &mask)
        unsafe tcsetattr(terminal.number, TCSANOW, &attributes)
        unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
    }
}
