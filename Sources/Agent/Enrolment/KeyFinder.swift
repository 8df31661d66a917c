import AgentAPI
import Identities
import PKCS11URI
import Prompts
import TokenService
import Tokens

/// Finds the one private key that a person means by a URI, on a token that is logged in.
struct KeyFinder: Sendable {
    let tokens: Tokens

    /// A private key, as its token shows it after the login.
    struct Found: Sendable {
        let object: KeyObject
        let token: FoundToken
        let uri: PKCS11URI
    }

    /// - Parameters:
    ///   - text: The URI as it arrived. It means one private key on one token.
    ///   - pin: The token's, where a person gave it; else the stored one is used, or a person is asked.
    func find(_ text: String, pin: HeldPIN?) async throws(Problem) -> Found {
        let moment = Locks.Moment()
        let uri = try parsed(text)
        let token = try await onlyToken(of: uri)
        if let pin, !token.isLocked {
            try await tokens.unlock(token, pin: pin, isFromLogin: false, asOf: moment)
        } else {
            try await tokens.logIn(to: token, for: LoginPurpose(Asking.current))
        }
        let survey = await tokens.survey(ofModuleOf: token)
        guard let seen = survey.tokens.first(where: { $0.key == token.key }) else { throw .noToken(uri) }
        let keys = seen.snapshot.privateKeys(meantBy: uri)
        guard let key = keys.first else { throw noKey(uri, on: seen) }
        guard keys.count == 1 else {
            throw Problem(
                .ambiguousIdentity,
                "\("\(keys.count) private keys on the token match \(uri)", .reason)",
                hint: "name one of them by object and id: " + list(keys, on: seen))
        }
        guard key.canSign else {
            throw Problem(
                .noIdentity, "the key \(uri, .uri): \(DropReason.keyCannotSign.message, .reason)",
                hint: "name a key whose CKA_SIGN is true")
        }
        return Found(object: key, token: seen.meant(by: uri), uri: self.uri(of: key, on: seen))
    }

    private func parsed(_ text: String) throws(Problem) -> PKCS11URI {
        let hint = "give the key's URI, such as pkcs11:token=prod;object=client;type=private"
        let uri: PKCS11URI
        do throws(PKCS11URIError) {
            uri = try PKCS11URI(text)
        } catch {
            throw Problem(.badRequest, "the key's URI: \(error.message, .reason)", hint: hint)
        }
        if let type = uri.type, type != .privateKey {
            throw Problem(.badRequest, "the key's URI has another type than private", hint: hint)
        }
        if let fault = uri.tokenPart.faultAsTokens {
            throw Problem(.badRequest, "the key's URI \(fault, .reason)", hint: hint)
        }
        return uri
    }

    /// The token that the URI means; of several, the only one that shows such a key.
    private func onlyToken(of uri: PKCS11URI) async throws(Problem) -> FoundToken {
        let survey = await tokens.survey()
        let found = survey.tokens(matching: uri).map { $0.meant(by: uri) }
        guard let first = found.first else {
            // The token may be behind a module that is down just now.
            if let outage = survey.modules.compactMap(\.outage).first { throw outage }
            throw .noToken(uri)
        }
        guard found.count > 1 else { return first }
        let showing = found.filter { !$0.snapshot.privateKeys(meantBy: uri).isEmpty }
        guard showing.count == 1 else {
            throw Problem(
                .ambiguousIdentity, "\("\(found.count) tokens match \(uri), and the key is to be on one", .reason)",
                hint: "name one of: " + found.prefix(8).map { "'\($0.uri)'" }.joined(separator: " "))
        }
        return showing[0]
    }

    private func uri(of key: KeyObject, on token: FoundToken) -> PKCS11URI {
        token.uri.naming(
            object: key.label.isEmpty ? nil : key.label, id: key.id.isEmpty ? nil : key.id, type: .privateKey)
    }

    private func list(_ keys: [KeyObject], on token: FoundToken) -> String {
        keys.prefix(8).map { "'\(uri(of: $0, on: token))'" }.joined(separator: " ")
    }

    private func noKey(_ uri: PKCS11URI, on token: FoundToken) -> Problem {
        let others = token.snapshot.keys.filter { $0.keyClass == .privateKey }
        return Problem(
            .noIdentity, "no private key on token \(token.snapshot.token.displayName, .token) matches \(uri, .uri)",
            hint: others.isEmpty
                ? "the token has no private key, or none that it shows"
                : "its private keys are " + list(others, on: token))
    }
}
