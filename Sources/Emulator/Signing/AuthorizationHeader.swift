/// `ALGORITHM Credential=ID/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=hex`
package struct AuthorizationHeader: Sendable {
    package let algorithm: String
    /// The certificate's serial number, or an access key.
    package let credentialID: String
    package let scope: CredentialScope
    package let signedHeaders: [String]
    package let signature: [UInt8]

    /// - Throws: The reason why it is malformed.
    package init(_ text: String) throws(Malformed) {
        guard text.utf8.count <= 16_384 else { throw Malformed(reason: "it is longer than 16 KiB") }
        let words = text.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { throw Malformed(reason: "it has no parameters") }
        algorithm = String(words[0])

        var parameters: [String: String] = [:]
        for part in words[1].split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2 else { throw Malformed(reason: "a parameter has no value") }
            guard parameters.updateValue(String(halves[1]), forKey: String(halves[0])) == nil else {
                throw Malformed(reason: "\(halves[0]) stands twice")
            }
        }
        guard parameters.count == 3, let credential = parameters["Credential"],
            let headers = parameters["SignedHeaders"], let signature = parameters["Signature"]
        else { throw Malformed(reason: "it needs Credential, SignedHeaders and Signature, and nothing else") }

        let parts = credential.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5 else { throw Malformed(reason: "Credential needs five parts") }
        credentialID = parts[0]
        scope = CredentialScope(date: parts[1], region: parts[2], service: parts[3], terminator: parts[4])

        signedHeaders = headers.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
        guard signedHeaders.allSatisfy({ !$0.isEmpty && $0 == $0.lowercased() }) else {
            throw Malformed(reason: "SignedHeaders needs lower-case names separated by semicolons")
        }
        guard zip(signedHeaders, signedHeaders.dropFirst()).allSatisfy({ $0.utf8.lexicographicallyPrecedes($1.utf8) })
        else { throw Malformed(reason: "SignedHeaders must be sorted, each name once") }

        guard signature == signature.lowercased(), let bytes = Hex.decode(signature.utf8), !bytes.isEmpty else {
            throw Malformed(reason: "Signature must be lower-case hex")
        }
        self.signature = bytes
    }

    package struct Malformed: Error {
        package let reason: String
    }
}

/// `DATE/REGION/SERVICE/aws4_request`
package struct CredentialScope: Sendable {
    package let date: String
    package let region: String
    package let service: String
    package let terminator: String

    package var text: String { "\(date)/\(region)/\(service)/\(terminator)" }
}
