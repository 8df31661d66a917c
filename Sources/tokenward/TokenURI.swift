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

    /// The tokens that a URI means.
    static func matching(_ text: String, _ tokens: [Listed.Token]) throws -> [Listed.Token] {
        let uri: PKCS11URI
        do throws(PKCS11URIError) {
            uri = try PKCS11URI(text)
        } catch {
            throw ClientFailure(.usage, "the URI: \(error.message)", hint: "'tokenward status' shows the tokens' URIs")
        }
        // The list does not tell slots and libraries: the agent finds that token.
        if uri.namesSlot || uri.namesModule {
            return [Listed.Token(uri: text, label: nil, state: nil, pinTries: nil, pinpad: nil, awaiting: nil)]
        }
        return tokens.filter { $0.description.map { uri.matches(LocatedToken($0)) } ?? false }
    }

    /// For a shell, which takes a semicolon for the end of the command.
    static func quoted(_ uri: String) -> String {
        "'" + uri.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}

extension Listed.Token {
    /// What the token's URI says of it, which is exact where the label need not be.
    fileprivate var description: TokenDescription? {
        guard let uri = try? PKCS11URI(uri) else { return nil }  // a newer agent's: no URI that we know means it
        return TokenDescription(
            label: uri.token ?? [], manufacturer: uri.manufacturer ?? [], model: uri.model ?? [],
            serial: uri.serial ?? [])
    }
}
