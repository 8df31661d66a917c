import ASN1
import AgentAPI
import AgentClient
import ArgumentParser

struct CertificateInstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "Write a certificate to the token that has its key.",
        discussion: """
            It gets the id and the label of its key; intermediates of the file are written beside it. Older certificates of \
            the key stay until a profile has fetched one session with the new one, and are deleted then. Without that \
            session the new one is removed again. The certificate's URI is the last line on standard output.
            """)

    @Argument(help: "A file in PEM or DER, the leaf first.", completion: .file())
    var file: String

    @Option(help: ArgumentHelp("The key's PKCS#11 URI, where its token does not show it.", valueName: "uri"))
    var key: String?

    @Flag(help: "Print the agent's JSON object.")
    var json = false

    @OptionGroup var management: ManagementOptions

    func validate() throws { if let key { try TokenURI.check(key) } }

    /// What fits into a request beside a URI and a PIN.
    private static let longest = 12 * 1024

    func run() throws {
        let text = try CertificateSource.inFile(file).map { PEM.encode($0.der, label: "CERTIFICATE") }.joined()
        guard text.utf8.count <= Self.longest else {
            throw ClientFailure(
                .noInput, "\(file): its certificates have \(text.utf8.count) bytes, more than \(Self.longest)",
                hint: "leave in it the leaf and the certificates between it and its root")
        }
        let answer = try management.send(
            "/v1/certificates/install", [("file", text)] + (key.map { [("key", $0)] } ?? []))
        if json { return try answer.printJSON() }
        let listing = try answer.decode(CertificateInstallListing.self)
        var lines = KeyTable.line("certificate", "\(listing.subject), serial \(listing.serial)")
        for subject in listing.intermediates { lines += KeyTable.line("intermediate", subject) }
        if let profile = listing.provenBy {
            lines += KeyTable.line("session", "profile \(profile) has fetched one with it")
        }
        for serial in listing.retired { lines += KeyTable.line("deleted", "the old certificate with serial \(serial)") }
        if let remark = listing.remark { Voice.remark(remark) }
        try Voice.result(lines + KeyTable.plain(listing.uri) + "\n")
    }
}

struct CertificateRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Delete a certificate from a token; its key stays.")

    @Argument(help: "The certificate's PKCS#11 URI, as 'tokenward list' shows it.")
    var uri: String

    @Option(help: ArgumentHelp("Its serial number, where several have the URI.", valueName: "decimal"))
    var serial: String?

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var management: ManagementOptions

    func validate() throws { try TokenURI.check(uri) }

    func run() throws {
        let (listing, certificate) = try CertificateSource.oneOnTokens(uri, serial: serial, management.agent)
        let words = "\(certificate.subject.description), serial \(certificate.serial.decimal)"
        if !yes {
            try Confirmation.ask("this deletes the certificate \(words) from \(listing.uri)", otherwise: "--yes")
        }
        _ = try management.send("/v1/certificates/remove", [("uri", listing.uri), ("certificate", listing.pem)])
        Voice.remark("the certificate \(words) is deleted")
    }
}
