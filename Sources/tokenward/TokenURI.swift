import ArgumentParser

/// The URI of a token on our command line: the agent reads it, we only keep secrets out of it.
enum TokenURI {
    /// - Throws: For what is no PKCS#11 URI, and for one with a PIN in it, which other users see in the process list.
    static func check(_ uri: String) throws(ValidationError) {
        guard uri.utf8.starts(with: "pkcs11:".utf8) else {
            // Not quoted: it may be a PIN that was typed in the wrong place, and standard error may be kept.
            throw ValidationError("the argument is no PKCS#11 URI, which starts with pkcs11:")
        }
        let query = uri.drop { $0 != "?" }
        guard !query.dropFirst().split(separator: "&").contains(where: { $0.hasPrefix("pin-value=") }) else {
            throw ValidationError("the URI has a pin-value, which others can read: change that PIN, and leave it out")
        }
    }

    /// For a shell, which takes a semicolon for the end of the command.
    static func quoted(_ uri: String) -> String {
        "'" + uri.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}
