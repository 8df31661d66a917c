import AgentAPI
import AgentClient
import ArgumentParser
import PKCS11URI

/// The URI of a token on our command line: the agent reads it, we only keep secrets out of it.
enum TokenURI {
    /// - Throws: For what is no PKCS#11 URI, and for one with a PIN in it, which other users see in the process list.
    static func check(_ uri: String) throws(ValidationError) {
        // A scheme may be in upper case (RFC 3986 §3.1).
        guard uri.prefix(7).lowercased() == "pkcs11:" else {
            // Not quoted: it may be a PIN that was typed in the wrong place, and standard error may be kept.
            throw ValidationError("the argument is no PKCS#11 URI, which starts with pkcs11:")
        }
        let query = uri.drop { $0 != "?" }
        guard !query.dropFirst().split(separator: "&").contains(where: { $0.hasPrefix("pin-value=") }) else {
            throw ValidationError("the URI has a pin-value, which others can read: change that PIN, and leave it out")
        }
    }

    /// The tokens that the URI of an object may mean.
    static func matching(object text: String, _ tokens: [TokenListing]) throws -> [TokenListing] {
        // What is no URI is refused below, in the words for tokens.
        guard let uri = try? PKCS11URI(text) else { return try matching(text, tokens) }
        return try matching("\(uri.tokenPart)", tokens)
    }

    /// The tokens that a URI means.
    static func matching(_ text: String, _ tokens: [TokenListing]) throws -> [TokenListing] {
        let uri: PKCS11URI
        do throws(PKCS11URIError) {
            uri = try PKCS11URI(text)
        } catch {
            throw ClientFailure(.usage, "the URI: \(error.message)", hint: "'tokenward status' shows the tokens' URIs")
        }
        if let fault = uri.faultAsTokens {
            throw ClientFailure(.usage, "the URI \(fault)", hint: "give \(quoted("\(uri.tokenPart)"))")
        }
        let unlisted = TokenListing(unlisted: text)
        // The list does not tell slots, libraries and p11-kit's names: the agent finds that token.
        if uri.namesSlot || uri.namesLibrary || uri.moduleName != nil {
            return [unlisted]
        }
        let found: [TokenListing] = tokens.compactMap { token in
            guard let description = token.description else { return nil }
            let module = token.module.isEmpty ? nil : ModuleDescription(path: token.module)
            guard uri.matches(LocatedToken(description, module: module)) else { return nil }
            var token = token
            // Another module may come to show such a token before the PIN is typed.
            if uri.namesModule, let module { token.uri = "\(PKCS11URI(token: description).naming(module))" }
            return token
        }
        // Nor which of several modules of one library shows a token.
        return found.isEmpty && uri.namesModule ? [unlisted] : found
    }

    /// For a shell, which takes a semicolon for the end of the command.
    static func quoted(_ uri: String) -> String {
        "'" + uri.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}

extension TokenListing {
    /// A token of which only the URI is known.
    init(unlisted uri: String) {
        self.init()
        self.uri = uri
        label = ""
    }

    /// What the token's URI says of it, which is exact where the label need not be.
    fileprivate var description: TokenDescription? {
        guard let uri = try? PKCS11URI(uri) else { return nil }  // a newer agent's: no URI that we know means it
        return TokenDescription(
            label: uri.token ?? [], manufacturer: uri.manufacturer ?? [], model: uri.model ?? [],
            serial: uri.serial ?? [])
    }
}
