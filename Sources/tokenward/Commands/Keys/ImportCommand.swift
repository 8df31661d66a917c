import AgentAPI
import AgentClient
import ArgumentParser

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Bring a key from a .pfx, PEM or PKCS#8 file to a token, with its certificates.",
        discussion: """
            The key can sign there, and cannot leave it again. Nothing on the token is overwritten. Where the token says \
            nothing else, the file's password and the token's PIN are asked for on the terminal. With both --pin-stdin and \
            --password-stdin, the first line of standard input is the PIN, the second the file's password.

            A key that was in a file is worth less than one that the token has made: nobody knows how many copies of the \
            file there are. 'tokenward key generate' makes one.
            """)

    @Argument(help: "A PKCS#12 file (.pfx, .p12), or PEM or DER with a private key.", completion: .file())
    var file: String

    @Option(help: ArgumentHelp("The token's URI, as 'tokenward status' shows it.", valueName: "uri"))
    var token: String

    @Option(help: "The label of the key and its certificates on the token.")
    var label: String

    @Option(help: ArgumentHelp("Their id on the token, in hexadecimal digits.", valueName: "hex"))
    var id: String

    @Flag(help: "Read the file's password from standard input: one line, which may be empty.")
    var passwordStdin = false

    @Flag(
        help: """
            Then overwrite the file with zeros and remove it. On SSDs, on file systems that copy on write or keep a journal, \
            and where there are snapshots or backups, this proves nothing: the key may be there still.
            """)
    var shred = false

    @Flag(help: "Print the agent's JSON object.")
    var json = false

    @OptionGroup var management: ManagementOptions

    func validate() throws { try TokenURI.check(token) }

    func run() throws {
        let entry = try KeyFileEntry(path: file, isToBeShredded: shred)
        let answer = try send(entry)
        // First what has been done: the file may not be removable.
        if json {
            try answer.printJSON()
        } else {
            try print(answer.decode(KeyImportListing.self))
        }
        Voice.remark("this key was in a file: it is worth less than one that the token has made")
        guard shred else { return Voice.remark("the file is still there: \(file)") }
        try entry.shred()
        Voice.remark(
            "the file is overwritten and removed; on SSDs, copy-on-write file systems, journals, snapshots and backups that proves nothing"
        )
    }

    private func send(_ entry: borrowing KeyFileEntry) throws -> AgentExchange {
        if passwordStdin, management.pinStdin {
            var lines = try SecretLines()
            let pin = try lines.pin()
            return try send(entry, lines.password(), pin: pin)
        }
        if passwordStdin { return try send(entry, PasswordEntry.fromStandardInput(), pin: nil) }
        let pin: PINEntry? = management.pinStdin ? try PINEntry.fromStandardInput() : nil
        guard entry.mayBeEncrypted else { return try send(entry, PasswordEntry(), pin: pin) }
        return try send(entry, PINPrompt.askForPassword("password of \(file): "), pin: pin)
    }

    private func send(
        _ entry: borrowing KeyFileEntry, _ password: borrowing PasswordEntry, pin: consuming PINEntry?
    ) throws -> AgentExchange {
        let members = [("uri", token), ("label", label), ("id", id)]
        return try management.send(given: pin) { (pin) throws(ClientFailure) in
            try KeyImportRequest.make(members, file: entry, password: password, pin: pin)
        }
    }

    private func print(_ listing: KeyImportListing) throws {
        var lines = KeyTable.lines(of: listing.key)
        for (name, value) in [("certificate", listing.subject)] + listing.intermediates.map({ ("intermediate", $0) }) {
            lines += KeyTable.line(name, value ?? "none in the file; 'tokenward certificate install' adds one")
        }
        if listing.leftOut > 0 {
            lines += KeyTable.line("not written", "\(listing.leftOut) other certificates of the file")
        }
        try Voice.result(lines + KeyTable.plain(listing.key.uri) + "\n")
    }
}
