import ModuleFiles
import PKCS11URI
import PlainText
import Prompts
import Tokens

/// Puts the configuration together from its files, and remembers where each part stands.
struct ConfigurationBuilder {
    /// What a configuration has once.
    private enum Part: Hashable {
        case module(ModuleConfiguration.Location, environment: [String: String], initArguments: String?)
        case moduleName(String)
        case rule(PKCS11URI)
        case profile(ProfileName)
        case listener(name: String)
        case tokenFile(path: String)
        case prompt
        case lockOn
    }

    let accounts: AccountDirectory
    let faults: FaultList
    private(set) var configuration = Configuration()
    private var book = ProfileBook()
    private var places: [Part: (file: String, line: Int)] = [:]

    init(accounts: AccountDirectory, faults: FaultList) {
        self.accounts = accounts
        self.faults = faults
    }

    /// Adds what a file says.
    mutating func add(_ entries: [String: TOMLNode], from file: String) {
        var document = TableReader(entries, title: "the file", at: (file, 1), faults: faults)
        for var table in document.tables("module") { add(module: &table) }
        for var table in document.tables("token") {
            guard let rule = TokenRule(reading: &table) else { continue }
            if isFirst(.rule(rule.uri), "a rule for this uri", table) { configuration.tokens.append(rule) }
        }
        if var table = document.table("prompt", title: "[prompt]") {
            configuration.prompt.program = table.absolutePath("program")
            let timeout = table.integer("timeout-seconds", in: PromptSettings.timeouts)
            configuration.prompt.timeoutSeconds = timeout ?? configuration.prompt.timeoutSeconds
            configuration.prompt.notify = table.boolean("notify") ?? true
            table.refuseUnknownKeys()
            _ = isFirst(.prompt, "[prompt]", table)
        }
        let profiles = document.entries("profile", "write [profile.NAME] for each") ?? [:]
        for (name, node) in profiles.sorted(by: { $0.value.line < $1.value.line }) {
            add(profile: name, node, from: file)
        }
        for var table in document.tables("listener") {
            guard let listener = ListenerConfiguration(reading: &table, accounts: accounts) else { continue }
            let name = listener.address == nil ? "path" : "address"
            guard isFirst(.listener(name: listener.name), "a listener with this \(name)", table) else { continue }
            if let file = listener.tokenFile {
                guard isFirst(.tokenFile(path: file.path), "this token-file", table, advice: "give each its own")
                else { continue }
            }
            configuration.listeners.append(listener)
        }
        let events = document.list("lock-on", Self.event)
        if document.has("lock-on"), isFirst(.lockOn, "lock-on", document, line: document.lineOf("lock-on")) {
            configuration.lockOn = Set(events)
        }
        document.refuseUnknownKeys()
    }

    private mutating func add(module table: inout TableReader) {
        guard let module = ModuleConfiguration(reading: &table) else { return }
        let part = Part.module(
            module.location, environment: module.environment, initArguments: module.initArguments)
        guard isFirst(part, "this module", table) else { return }
        if let name = module.name {
            let advice = "give another one of its library a path, and a name of its own"
            guard isFirst(.moduleName(name), "a module named \(name)", table, advice: advice) else { return }
        }
        configuration.modules.append(module)
    }

    private mutating func add(profile text: String, _ node: TOMLNode, from file: String) {
        guard let name = ProfileName(text) else {
            faults.add(
                file: file, line: node.line,
                "\(text.quoted) is no name for a profile; use 1 to 64 letters, digits and _.-, the first no dot or dash"
            )
            return
        }
        guard case .table(let entries) = node.value else {
            faults.add(file: file, line: node.line, "profile.\(name) is \(node.kind); write [profile.\(name)]")
            return
        }
        var table = TableReader(entries, title: "[profile.\(name)]", at: (file, node.line), faults: faults)
        let reading = ProfileReading(reading: &table, accounts: accounts)
        if isFirst(.profile(name), "profile \(name)", table), let reading { book.add(reading, as: name) }
    }

    /// Completes what needs all files, and adds a fault for what does not agree.
    mutating func finish() {
        configuration.profiles = book.completed { places[.profile($0)] != nil }
        checkListeners()
    }

    /// Adds a fault for each profile that a listener names and no file has, and for what is wrong with it in the sight of
    /// the other parts.
    private func checkListeners() {
        let networked = configuration.modules.contains(where: \.hasNetwork)
        for listener in configuration.listeners {
            guard let place = places[.listener(name: listener.name)] else { continue }
            if networked, listener.address != nil, listener.allow?.users.contains(accounts.ownUser) == true {
                faults.add(
                    file: place.file, line: place.line,
                    "allow of [[listener]] lists the agent's own user, and a [[module]] has network = true: over TCP it "
                        + "looks like that user; use kind = \"socket\", or another user")
            }
            for name in listener.profiles.sorted() where places[.profile(name)] == nil {
                faults.add(
                    file: place.file, line: place.line,
                    "profiles of [[listener]] names \(name), and there is no such profile; add it, or correct the name")
            }
        }
    }

    private static func event(_ node: TOMLNode) throws(ValueFault) -> LockEvent {
        let text = try node.text()
        guard let event = LockEvent(rawValue: text) else {
            let known = LockEvent.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValueFault(" has \(text.quoted); it takes \(known)")
        }
        return event
    }

    /// Whether this part stands nowhere else so far. If it does, this adds a fault.
    private mutating func isFirst(
        _ part: Part, _ name: String, _ table: TableReader, line: Int? = nil, advice: String = "keep one of them"
    ) -> Bool {
        guard let first = places[part] else {
            places[part] = (table.file, line ?? table.line)
            return true
        }
        table.fault(at: line, "\(name) stands in \(first.file):\(first.line) already; \(advice)")
        return false
    }
}
