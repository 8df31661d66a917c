import AgentAPI
import PKCS11URI
import TokenService
import Tokens

extension AgentService {
    /// The one token that a management command means.
    ///
    /// - Parameter text: The URI of a token, or of an object on it, as it arrived.
    /// - Throws: `.noToken` where there is none, `.badRequest` with the tokens' URIs where there are several: nothing is
    ///   changed on a token that merely could be the right one.
    func onlyToken(_ text: String) async throws(Problem) -> (token: FoundToken, uri: PKCS11URI) {
        let uri = try parsed(object: text)
        let found = try await matching("\(uri.tokenPart)")
        guard found.count == 1 else {
            throw Problem(
                .badRequest, "\(found.count, .count) tokens match, and a change is for one token",
                hint: "name one of: " + found.map { "'\($0.uri)'" }.joined(separator: " "))
        }
        guard found[0].snapshot.failure == nil else {
            throw Problem(
                .moduleFailed, "token \(found[0].snapshot.token.displayName, .token) cannot be read",
                hint: "see 'tokenward status' and the agent's log")
        }
        return (found[0].meant(by: uri.tokenPart), uri)
    }

    /// The token's serial number must be what a person has typed: a URI alone may mean another token than the person thinks.
    func check(serial: String?, of token: FoundToken) throws(Problem) {
        let own = token.snapshot.token.serial
        guard let serial, !own.isEmpty, Array(serial.utf8) == own else {
            throw Problem(
                .badRequest, "that is not the serial number of token \(token.snapshot.token.displayName, .reason)",
                hint: "'tokenward status --json' shows it; nothing was changed")
        }
    }

    private func parsed(object text: String) throws(Problem) -> PKCS11URI {
        let uri: PKCS11URI
        do throws(PKCS11URIError) {
            uri = try PKCS11URI(text)
        } catch {
            throw Problem(
                .badRequest, "the URI: \(error.message, .reason)",
                hint: "'tokenward status' shows the tokens' URIs, 'tokenward key list' those of keys")
        }
        guard uri.pinSource == nil else {
            throw Problem(.badRequest, "the URI has a pin-source, which is not used here", hint: "leave it out")
        }
        return uri
    }
}
