import CLinux
package import Clocks
import Files
import Glibc
import LockedMemory
import Synchronization
import SystemPackage
package import TokenService

/// A program that prints one code, such as an MFA device's: run once, without a shell, for one answer.
package final class CodeProgram: Sendable {
    private let command: [String]
    private let home: String?
    private let state = Mutex(State())

    private struct State {
        /// While it runs.
        var processID: pid_t?
        var isUnwanted = false
    }

    /// How long it may take, in milliseconds: less than clients wait.
    package static let longest: Int64 = 40_000

    /// - Parameters:
    ///   - command: The absolute path of the program, and its arguments.
    ///   - home: The user's home folder, which it gets as HOME.
    package init(_ command: [String], home: String?) {
        self.command = command
        self.home = home
    }

    package enum Failure: Error, Hashable, Sendable {
        case notStarted(reason: String)
        case late
        /// It ended with another status than 0, or by a signal.
        case failed(status: Int32)
        case tooMuch
        /// Nothing, or what cannot be a code.
        case nothing
        case noMemory
        /// Nobody waits for its code any more.
        case unwanted
    }

    /// Ends it, or keeps it from being started, because its code is not wanted any more.
    package func end() {
        state.withLock { state in
            state.isUnwanted = true
            // Its number is its own as long as it stands there. Its session is its own as well.
            if let processID = state.processID { kill(-processID, SIGKILL) }
        }
    }

    /// Runs it on a thread of its own: reading from a program blocks.
    ///
    /// - Returns: What it has printed, without the line end.
    package func run(clock: AgentClock) async -> Result<HeldPIN, Failure> {
        await onOwnThread { () -> Result<HeldPIN, Failure> in
            Result { () throws(Failure) in try self.answer(clock) }
        }
    }

    private func answer(_ clock: AgentClock) throws(Failure) -> HeldPIN {
        var pipes: [Int32] = [-1, -1]
        guard let program = command.first, unsafe clinux_pipe(&pipes) == 0 else {
            throw .notStarted(reason: "\(Errno(rawValue: errno))")
        }
        defer { close(pipes[0]) }
        let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(nothing) }
        var variables = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
        variables["HOME"] = home
        let arguments = CStrings(command)
        let environment = CStrings(variables.map { "\($0)=\($1)" }.sorted())
        let processID: pid_t
        do {
            defer { close(pipes[1]) }
            processID = try state.withLock { (state) throws(Failure) in
                guard !state.isUnwanted else { throw .unwanted }
                var processID: pid_t = 0
                let error = unsafe clinux_spawn_on_pipes(
                    program, arguments.pointers, environment.pointers, nothing, pipes[1], &processID)
                guard error == 0 else { throw .notStarted(reason: "\(Errno(rawValue: error))") }
                state.processID = processID
                return processID
            }
        }
        let read = Result { () throws(Failure) in
            try Self.read(from: pipes[0], until: clock.boot() + Self.longest, clock)
        }
        var mayFinish = true
        if case .failure(let failure) = read, failure != .nothing { mayFinish = false }
        let status = finish(processID, mayFinish: mayFinish, clock)
        if state.withLock(\.isUnwanted) { throw .unwanted }
        // It says more than that nothing was printed.
        guard status == 0 || !mayFinish else { throw .failed(status: status) }
        return try read.get()
    }

    /// Reads to the end of what it prints.
    private static func read(
        from output: Int32, until deadline: Int64, _ clock: AgentClock
    ) throws(Failure) -> HeldPIN {
        guard var page = SecretBuffer(capacity: 64, isLocked: true) else { throw .noMemory }
        while true {
            var entry = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            let left = deadline - clock.boot()
            guard left > 0 else { throw .late }
            guard unsafe poll(&entry, 1, Int32(clamping: left)) > 0 else { continue }
            guard page.count < page.capacity else { throw .tooMuch }
            var failure: Int32 = 0
            let count = unsafe page.append { room in
                let count = uninterrupted { unsafe Glibc.read(output, room.baseAddress, room.count) }
                if count < 0 { failure = errno }
                return max(0, count)
            }
            if failure == EAGAIN { continue }
            if count == 0 { break }
        }
        while page.count > 0, page.withBytes({ $0[page.count - 1] == 0x0A || $0[page.count - 1] == 0x0D }) {
            page.removeLast(1)
        }
        do throws(PINError) {
            return HeldPIN(
                try unsafe PIN { (room) throws(PINError) in
                    page.withBytes { bytes in unsafe bytes.withUnsafeBytes { unsafe room.copyMemory(from: $0) } }
                    return page.count
                })
        } catch {
            throw .nothing
        }
    }

    /// Waits for its end, and makes it come, with all that it has started.
    ///
    /// - Returns: The status of waitpid(2).
    private func finish(_ processID: pid_t, mayFinish: Bool, _ clock: AgentClock) -> Int32 {
        let deadline = clock.boot() + (mayFinish ? 2000 : 0)
        var information = unsafe siginfo_t()
        while true {
            let result = uninterrupted {
                unsafe waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT | WNOHANG)
            }
            if unsafe result != 0 || information.si_signo == SIGCHLD || clock.boot() >= deadline { break }
            usleep(5000)
        }
        state.withLock { state in
            kill(-processID, SIGKILL)
            state.processID = nil
        }
        var status: Int32 = 0
        _ = uninterrupted { unsafe waitpid(processID, &status, 0) }
        return status
    }
}

extension CodeProgram.Failure: CustomStringConvertible {
    /// Behind "mfa-process".
    package var description: String {
        switch self {
        case .notStarted(let reason): "does not start: \(reason)"
        case .late: "gave no code within \(CodeProgram.longest / 1000) seconds"
        case .failed(let status):
            status & 0x7F == 0 ? "ended with status \(status >> 8 & 0xFF)" : "was ended by signal \(status & 0x7F)"
        case .tooMuch: "printed more than a code"
        case .nothing: "printed no code"
        case .noMemory: "could not be read: no memory is left"
        case .unwanted: "was ended, as all was locked or the agent ends"
        }
    }
}
