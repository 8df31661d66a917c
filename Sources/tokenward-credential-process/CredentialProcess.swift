import CLinux

/// What AWS SDKs start as `credential_process`. All that it does stands in `CredentialClient`, which ordinary Swift
/// compiles as well, for the tests and for `tokenward credential-process`.
@main
struct CredentialProcess {
    static func main() {
        // Where this fails, SIGPIPE ends the process in the middle of a write that nobody reads: no harm.
        _ = clinux_ignore_broken_pipe()
        exit(CredentialClient.run(ProcessInput.arguments()).rawValue)
    }
}
