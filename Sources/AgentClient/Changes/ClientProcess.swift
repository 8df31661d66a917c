import CLinux

/// What a process does first that may hold a PIN or a credential.
package enum ClientProcess {
    /// No core dump, no debugger of the same user, no memory on standard error after a crash, no death by SIGPIPE.
    ///
    /// Each of them is a second line of defence: where the kernel refuses one, the command still does its work.
    package static func protect() {
        _ = clinux_harden_process()
        _ = clinux_turn_off_crash_reports()
        _ = clinux_ignore_broken_pipe()
    }
}
