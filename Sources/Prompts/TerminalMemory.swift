import Files
import Glibc
import SystemPackage

/// How a terminal was before a program changed it: one that is killed leaves it without echo.
struct TerminalMemory: ~Copyable {
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
