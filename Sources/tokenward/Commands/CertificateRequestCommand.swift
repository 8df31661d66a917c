import AgentAPI
import AgentClient
import ArgumentParser
import Encodings

struct CertificateRequestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "csr", abstract: "Make a certificate request (PKCS#10) that a key on a token signs.",
        discussion: """
            Prints PEM, for a CA. The request asks for digitalSignature and clientAuth. The subject is RFC 4514 text, most \
            specific first: 'CN=build-7,OU=CI,O=Example', with \\, for a comma within a value.
            """)

    @Option(
        help: ArgumentHelp(
            "The private key's PKCS#11 URI, such as 'pkcs11:token=prod;object=client'.", valueName: "uri"))
    var key: String

    @Option(help: ArgumentHelp("The subject, such as 'CN=build-7,O=Example'.", valueName: "dn"))
    var subject: String

    @Option(
        help: ArgumentHelp(
            "A subject alternative name: DNS:host, URI:…, email:…, IP:…; once for each.", valueName: "name"))
    var san: [String] = []

    @Flag(help: "Read the token's PIN from standard input: one line, whose end is taken off.")
    var pinStdin = false

    @OptionGroup var agent: AgentOptions

    func validate() throws { try TokenURI.check(key) }

    func run() throws {
        let pin: PINEntry? = pinStdin ? try PINEntry.fromStandardInput() : nil
        let request = try ChangeRequest.certificateRequest(key: key, subject: subject, names: san, pin: pin)
        try request.withBytes { (bytes) throws(ClientFailure) in
            // A keypad or a touch has two minutes.
            let answer = try agent.send(bytes, atLeast: 125_000).decode([String: String].self)
            guard let pem = answer["pem"], pem.utf8.allSatisfy({ $0.isVisible || $0 == 0x20 || $0 == 0x0A }) else {
                throw .badAnswer("no certificate request in it")
            }
            try Voice.result(pem)
        }
    }
}
