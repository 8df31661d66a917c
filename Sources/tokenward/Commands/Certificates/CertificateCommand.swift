import AgentAPI
import AgentClient
import ArgumentParser
import Glibc
import X509

struct CertificateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate", abstract: "Show, export, install and remove certificates.",
        subcommands: [
            CertificateShowCommand.self, CertificateExportCommand.self, CertificateInstallCommand.self,
            CertificateRemoveCommand.self,
        ])
}

struct CertificateShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a certificate as IAM Roles Anywhere sees it.",
        discussion: """
            Names and values are spelled as in the session tags that policies see (aws:PrincipalTag/x509Subject/CN), for a \
            profile with the default mapping. Each rule of the service is met or broken, with the reason.
            """)

    @Argument(
        help: ArgumentHelp("A PKCS#11 URI, or a file in PEM or DER.", valueName: "uri or file"), completion: .file())
    var certificate: String

    @Flag(help: "Print a JSON array.")
    var json = false

    @OptionGroup var agent: AgentOptions

    func validate() throws { try CertificateSource.check(certificate) }

    func run() throws {
        let reports = try reports()
        if json { return try Voice.result(String(decoding: reports.json, as: UTF8.self)) }
        for (index, report) in reports.enumerated() {
            if index > 0 { try Voice.result("\n") }
            try report.table.print()
        }
    }

    private func reports() throws(ClientFailure) -> [CertificateReport] {
        let now = Int64(time(nil))
        guard CertificateSource.isURI(certificate) else {
            return [CertificateReport(try CertificateSource.inFile(certificate)[0], at: now)]
        }
        var reports: [CertificateReport] = []
        for listing in try CertificateSource.onTokens(certificate, agent) {
            var report = CertificateReport(try CertificateSource.read(listing), at: now)
            report.uri = listing.uri
            report.keyURI = listing.keyURI
            report.keyReason = listing.keyReason
            reports.append(report)
        }
        return reports
    }
}

struct CertificateExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print a certificate on a token as PEM.")

    @Argument(help: "The certificate's PKCS#11 URI, as 'tokenward list' shows it.")
    var uri: String

    @Flag(help: "Print the certificates between it and its root as well, as far as its token has them.")
    var chain = false

    @Option(help: ArgumentHelp("Its serial number, where several have the URI.", valueName: "decimal"))
    var serial: String?

    @OptionGroup var agent: AgentOptions

    func validate() throws { try TokenURI.check(uri) }

    func run() throws {
        let found = try CertificateSource.oneOnTokens(uri, serial: serial, agent).listing
        try Voice.result(found.pem + (chain ? found.chain.joined() : ""))
    }
}
