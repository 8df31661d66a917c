import AgentClient
import CLinux
import Files
import Glibc
import SystemPackage

/// Takes the PIN that was typed at a workstation's login from pam_exec(8), and leaves it with a process of the user who
/// logs in, which waits for that user's agent. The login waits for neither.
enum LoginHandover {
    /// How long the agent and the token may take to be there: the agent of a first login starts after it.
    private static let waitSeconds = 60

    /// - Throws: Why the PIN was not handed over. The login goes on all the same.
    static func run(uri: String?, socket: String?) throws(ClientFailure) {
        // pam_exec calls for other things than a login too, if it is told so, and then has no PIN.
        guard variable("PAM_TYPE") == "auth", let name = variable("PAM_USER") else {
            throw ClientFailure(
                .usage, "--pam is for pam_exec in a line of type auth", hint: "see the README, 'At login'")
        }
        let program = try ownPath()
        let user = try become(name)
        let pin = try PINEntry.fromStandardInput()
        var arguments = [program, "unlock", "--pin-stdin", "--quiet", "--wait", "\(waitSeconds)", "--socket"]
        arguments.append(socket ?? "/run/user/\(user)/tokenward/agent.sock")
        if let uri { arguments += ["--", uri] }
        try start(program, arguments, with: pin)
    }

    private static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// Becomes the user for good. A process that is not root's must be that user's already.
    private static func become(_ name: String) throws(ClientFailure) -> uid_t {
        guard let entry = unsafe getpwnam(name) else {
            throw ClientFailure(.usage, "there is no user \(name)", hint: "look at PAM_USER")
        }
        let (user, group) = unsafe (entry.pointee.pw_uid, entry.pointee.pw_gid)
        if geteuid() == 0, user != 0 {
            guard unsafe initgroups(name, group) == 0, setgid(group) == 0, setuid(user) == 0 else {
                throw ClientFailure(.software, "this process cannot become user \(name)", hint: "look at the PAM stack")
            }
        }
        guard getuid() == user, geteuid() == user else {
            throw ClientFailure(.noPermission, "this is not a process of \(name)'s, nor root's", hint: "none is needed")
        }
        return user
    }

    private static func ownPath() throws(ClientFailure) -> String {
        do throws(Errno) {
            return String(decoding: try FileName.target(ofLink: "/proc/self/exe"), as: UTF8.self)
        } catch {
            throw failure("its own path cannot be read", error.rawValue)
        }
    }

    private static func start(
        _ program: String, _ arguments: [String], with pin: borrowing PINEntry
    ) throws(ClientFailure) {
        var pipe: [Int32] = [-1, -1]
        let null = unsafe open("/dev/null", O_WRONLY | O_CLOEXEC)
        guard null >= 0, unsafe clinux_pipe(&pipe) == 0 else { throw failure("no pipe", errno) }
        let argv = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe argv.forEach { unsafe free($0) } }
        var processID: pid_t = 0
        let environment: [UnsafeMutablePointer<CChar>?] = unsafe [nil]
        let error = unsafe clinux_spawn_on_pipes(program, argv, environment, pipe[0], null, &processID)
        guard error == 0 else { throw failure("\(program) does not start", error) }
        pin.withBytes { bytes in
            // It fits into the pipe, so this does not block; and a reader that has ended needs no PIN.
            _ = unsafe bytes.withUnsafeBytes { unsafe write(pipe[1], $0.baseAddress, $0.count) }
        }
    }

    private static func failure(_ what: String, _ error: Int32) -> ClientFailure {
        ClientFailure(.software, "\(what) (errno \(error))", hint: "run 'tokenward unlock' after the login")
    }
}
