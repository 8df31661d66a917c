import Glibc

/// How a terminal was before a program changed it: one that is killed leaves it without echo.
struct TerminalMemory: ~Copyable {
    private let terminal: Int32
    private let attributes: termios

    /// Nil where the path is no terminal that the agent may use.
    init?(_ path: String) {
        let terminal = unsafe open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        guard terminal >= 0 else { return nil }
        var attributes = termios()
        guard unsafe tcgetattr(terminal, &attributes) == 0 else {
            close(terminal)
            return nil
        }
        self.terminal = terminal
        self.attributes = attributes
    }

    deinit { close(terminal) }

    func restore() {
        var attributes = attributes
        var held = sigset_t()
        var mask = sigset_t()
        unsafe sigemptyset(&held)
        unsafe sigaddset(&held, SIGTTOU)  // it would stop an agent in the background of this very terminal
        unsafe pthread_sigmask(SIG_BLOCK, &held, &mask)
        unsafe tcsetattr(terminal, TCSANOW, &attributes)
        unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
    }
}
