import CLinux
import Glibc
import LockedMemory
import PlainText

/// Asks for a PIN on the terminal of this process, wherever its standard streams go.
package enum PINPrompt {
    /// - Parameter question: Stands before the cursor; printed with `PlainText.terminal`.
    /// - Throws: Exit code 80 where there is no terminal, 64 for what is no PIN.
    package static func ask(_ question: String) throws(ClientFailure) -> PINEntry {
        let terminal = try SilentTerminal("the PIN")
        return try PINEntry { (buffer) throws(ClientFailure) in try terminal.ask(question, &buffer) }
    }

    /// - Throws: Exit code 80 where there is no terminal, 64 for what is no password.
    package static func askForPassword(_ question: String) throws(ClientFailure) -> PasswordEntry {
        let terminal = try SilentTerminal("the file's password")
        return try PasswordEntry { (buffer) throws(ClientFailure) in try terminal.ask(question, &buffer) }
    }
}

/// The terminal of this process, for questions whose answers are not shown.
private struct SilentTerminal: ~Copyable {
    private let descriptor: Int32

    init(_ secret: String) throws(ClientFailure) {
        descriptor = unsafe open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ClientFailure(
                .pinNeeded, "there is no terminal to ask for \(secret) on",
                hint: secret == "the PIN"
                    ? "send it through a pipe to 'tokenward unlock --pin-stdin'"
                    : "send it through a pipe with --password-stdin")
        }
    }

    deinit { close(descriptor) }

    /// Appends what is typed, and returns how many bytes.
    borrowing func ask(_ question: String, _ buffer: inout SecretBuffer) throws(ClientFailure) -> Int {
        let safe = PlainText.terminal(question)
        while true {
            let silence = try TerminalSilence(descriptor)
            silence.show(safe)
            let signal = try silence.waitForLine()
            guard let signal else { return try buffer.readSome(from: descriptor) }
            // The echo comes back first. Then the signal takes effect: it ends this process, or stops it until it
            // is back in the foreground, where the question is asked again.
            _ = consume silence
            raise(signal)
        }
    }
}

/// A terminal without echo, and the signals held back that would leave it so. Both end with this value.
private struct TerminalSilence: ~Copyable {
    private let terminal: Int32
    private let signals: Int32
    private let attributes: termios
    private let mask: sigset_t

    init(_ terminal: Int32) throws(ClientFailure) {
        var attributes = termios()
        guard unsafe tcgetattr(terminal, &attributes) == 0 else { throw Self.failure("is no terminal") }
        var held = sigset_t()
        var mask = sigset_t()
        unsafe sigemptyset(&held)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP] { unsafe sigaddset(&held, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &held, &mask)
        let signals = unsafe signalfd(-1, &held, Int32(SFD_CLOEXEC))
        var silent = attributes
        silent.c_lflag &= ~tcflag_t(ECHO | ECHOE | ECHOK | ECHONL)
        guard signals >= 0, unsafe tcsetattr(terminal, TCSAFLUSH, &silent) == 0 else {
            if signals >= 0 { close(signals) }
            unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
            throw Self.failure("does not let its echo be turned off")
        }
        self.terminal = terminal
        self.signals = signals
        self.attributes = attributes
        self.mask = mask
    }

    deinit {
        var attributes = attributes
        var mask = mask
        unsafe tcsetattr(terminal, TCSAFLUSH, &attributes)
        show("\n")  // the line end that was typed was not shown either
        close(signals)
        unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
    }

    borrowing func show(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe write(terminal, bytes, bytes.count)  // a terminal that shows nothing still takes the PIN
    }

    /// Waits until a line can be read: nil; or until one of the held signals comes: its number.
    borrowing func waitForLine() throws(ClientFailure) -> Int32? {
        var entries = [
            pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
            pollfd(fd: terminal, events: Int16(POLLIN), revents: 0),
        ]
        while unsafe poll(&entries, 2, -1) < 0 {
            guard clinux_errno() == EINTR else { throw Self.failure("cannot be read") }
        }
        guard entries[0].revents != 0 else { return nil }
        var signal = signalfd_siginfo()
        guard unsafe read(signals, &signal, MemoryLayout<signalfd_siginfo>.size) > 0 else {
            throw Self.failure("cannot be read")
        }
        return Int32(signal.ssi_signo)
    }

    private static func failure(_ what: String) -> ClientFailure {
        ClientFailure(
            .pinNeeded, "/dev/tty \(what)", hint: "send the PIN through a pipe to 'tokenward unlock --pin-stdin'")
    }
}
