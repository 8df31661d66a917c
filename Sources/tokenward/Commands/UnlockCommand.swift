import AgentAPI
import AgentClient
import ArgumentParser
import Glibc

struct UnlockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Give the agent the PIN of a token.",
        discussion: """
            Asks on the terminal, without showing what is typed. A PIN never stands in an argument or a variable. \
            Without a URI: the one token that needs its PIN.
            """)

    @Argument(help: "The token's PKCS#11 URI, as 'tokenward status' shows it.")
    var uri: String?

    @Flag(help: "Read the PIN from standard input: one line, whose end is taken off.")
    var pinStdin = false

    @Flag(help: "Let the agent use the PIN source of its configuration.")
    var stored = false

    @Flag(
        help: """
            Say nothing, and leave a token alone that has refused a PIN before: for a PIN that nobody typed for it.
            """)
    var quiet = false

    @Option(help: "How many seconds the agent and the token may take to be there.")
    var wait = 0

    @Flag(help: "For pam_exec: leave the PIN with a process of the user who logs in. See the README, 'At login'.")
    var pam = false

    @OptionGroup var agent: AgentOptions

    func validate() throws {
        if pam && !(pinStdin && quiet) { throw ValidationError("--pam needs --pin-stdin and --quiet") }
        guard (0...600).contains(wait) else { throw ValidationError("--wait takes 0 to 600 seconds") }
        if pinStdin && stored { throw ValidationError("--pin-stdin and --stored exclude each other") }
        if let uri { try TokenURI.check(uri) }
    }

    func run() throws {
        do {
            if pam { return try LoginHandover.run(uri: uri, socket: agent.socket) }
            try unlock()
        } catch let failure as ClientFailure where quiet {
            Glibc.exit(failure.exit.rawValue)
        }
    }

    private func unlock() throws {
        // Read before the wait, so that the sender need not wait as well.
        var pin: PINEntry? = pinStdin ? try PINEntry.fromStandardInput() : nil
        let token = try findTokenInTime()
        if token.state.known == .ready, !stored { return remark("token \(token.name) is unlocked already") }
        if token.pinpad, !pinStdin, !stored {
            Voice.remark("type the PIN of \(token.name) on the reader's keypad")
        } else if !pinStdin, !stored {
            warn(token)
            pin = try PINPrompt.ask("PIN for \(token.place): ")
        }
        let request = try ChangeRequest.unlock(uri: token.uri, pin: pin, isFromLogin: quiet)
        // A keypad has two minutes.
        try request.withBytes { (bytes) throws(ClientFailure) in
            _ = try agent.send(bytes, atLeast: token.pinpad ? 125_000 : 0)
        }
        remark("token \(token.name) is unlocked")
    }

    private func remark(_ text: String) {
        if !quiet { Voice.remark(text) }
    }

    /// Looks again and again for as long as `--wait` says, where there is no agent or no token yet.
    private func findTokenInTime() throws -> TokenListing {
        let end = ContinuousClock.now + .seconds(wait)
        while true {
            do {
                return try findToken()
            } catch let failure as ClientFailure where ContinuousClock.now < end {
                guard failure.exit == .unavailable || failure.exit == .noInput else { throw failure }
                usleep(200_000)
            }
        }
    }

    /// The one token that is meant: by the URI, else the only one that needs its PIN.
    private func findToken() throws -> TokenListing {
        let tokens = try agent.get("/v1/tokens").decode([TokenListing].self)
        let found = try uri.map { try TokenURI.matching($0, tokens) } ?? tokens.filter { $0.state.known == .pinNeeded }
        if found.count == 1 { return found[0] }
        // A stored PIN is the agent's business, for however many tokens.
        if let uri, stored { return TokenListing(unlisted: uri) }
        let command = "tokenward unlock " + (pinStdin ? "--pin-stdin " : stored ? "--stored " : "")
        for token in found { remark("\(token.name): \(command)\(TokenURI.quoted(token.uri))") }
        guard found.isEmpty else {
            throw ClientFailure(
                .usage,
                uri == nil ? "\(found.count) tokens need their PIN, and none is named" : "\(found.count) tokens match",
                hint: "type one of the commands above")
        }
        throw ClientFailure(
            .noInput, uri.map { "no token matches \($0)" } ?? "no token needs its PIN",
            hint: "run 'tokenward status' to see the tokens and their state")
    }

    private func warn(_ token: TokenListing) {
        switch token.pinTries.known {
        case .low: Voice.remark("a wrong PIN was tried on this token before; few tries are left")
        case .unknown: Voice.remark("a PIN was refused before, and this token does not tell how many tries are left")
        case .final: Voice.remark("this is the last try: another wrong PIN blocks the token")
        case .ok, .locked, nil: break
        }
    }
}

extension TokenListing {
    /// The label, or the URI of a token that has none.
    fileprivate var name: String { label.isEmpty ? uri : label }

    /// The token and the module that is to have its PIN.
    fileprivate var place: String { module.isEmpty ? name : "\(name) (\(module))" }
}
