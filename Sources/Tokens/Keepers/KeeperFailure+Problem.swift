package import AgentAPI
package import KeeperService
package import PKCS11URI
import TokenService

extension KeeperFailure {
    /// The problem that a client is told: one line, with what the token is left with where it is not as it was.
    package func problem(for token: TokenDescription) -> Problem {
        let name: Problem.Detail = "token \(token.displayName, .token)"
        var problem =
            switch kind {
            case .exists:
                Problem(
                    .objectExists, "\(name): \(text, .reason), and nothing is overwritten",
                    hint: "give another --id and --label; 'tokenward key list' shows those that are taken")
            case .notFound:
                Problem(
                    .noKey, "\(name) has \(text, .reason)", hint: "'tokenward key list' shows the keys and their URIs")
            case .ambiguous:
                Problem(
                    .noKey, "\(name) has \(text, .reason)", hint: "name one of them by id and object in the URI")
            case .readOnly:
                Problem(
                    .tokenRefused, "\(name) cannot be changed: \(text, .reason)",
                    hint: "take its write protection away with the vendor's tool, or use another token")
            case .full:
                Problem(
                    .tokenRefused, "\(name) has no room for it: \(text, .reason)",
                    hint: "delete what is not needed: 'tokenward key destroy URI', or use another token")
            case .unsupported:
                Problem(
                    .tokenRefused, "\(name) cannot do this: \(text, .reason)",
                    hint: "use another type of key, or the vendor's tool, such as "
                        + "'yubico-piv-tool -a generate' for a YubiKey's PIV keys")
            case .otherUser:
                Problem(
                    .tokenRefused, "\(name) lets only its security officer do this: \(text, .reason)",
                    hint: "use the vendor's tool and the security officer's PIN, or the card's management key")
            case .notLoggedIn:
                Problem(.pinNeeded, "\(name) is not logged in: \(text, .reason)", hint: "run the command again")
            case .tokenGone:
                Problem(
                    .tokenGone, "\(name) is gone: \(text, .reason)",
                    hint: "insert it again, and run the command again")
            case .disobeyed:
                Problem(
                    .tokenRefused, "\(name): \(text, .reason)",
                    hint: "look at it with 'tokenward key list', and tell the maker of its module")
            case .noImport:
                Problem(
                    .tokenRefused, "\(name): \(text, .reason)",
                    hint:
                        "have the token make a key with 'tokenward key generate', or use its maker's program, such as "
                        + "'tpm2_ptool import' or 'yubico-piv-tool -a import-key'")
            case .noCertificates:
                Problem(
                    .tokenRefused, "\(name): \(text, .reason)",
                    hint: "use its maker's program, such as 'yubico-piv-tool -a import-certificate' or 'piv-tool -C'")
            case .keyFile:
                Problem(
                    .keyFileRefused, "\(text, .reason)", hint: "nothing was sent to token \(token.displayName)")
            case .keyFilePassword:
                Problem(
                    .keyFilePassword, "\(text, .reason)", hint: "nothing was sent to token \(token.displayName)")
            case .function, .protocol:
                Problem(
                    .moduleFailed, "\(name): \(text, .reason)", hint: "see 'tokenward status' and the agent's log")
            }
        if let remains { problem.append("; \(remains, .remains)") }
        return problem
    }
}
