import Glibc
import TokenService

extension ServiceFailure {
    /// What is wrong with pcscd, and what to do, in one line.
    var reason: String {
        switch self {
        case .notRunning: "pcscd is not running: start it with 'systemctl enable --now pcscd.socket'"
        case .stopped: "pcscd has stopped: start it again with 'systemctl restart pcscd.socket'"
        case .forbidden: "pcscd's socket is closed to user \(geteuid()): see the mode of /run/pcscd/pcscd.comm"
        case .refused:
            "pcscd refuses user \(geteuid()): allow org.debian.pcsc-lite.access_pcsc and "
                + "org.debian.pcsc-lite.access_card in a polkit rule"
        case .silent: "pcscd does not answer: restart it with 'systemctl restart pcscd'"
        }
    }
}
