import ModuleFiles
import PKCS11URI
import PlainText
import Prompts
import Tokens

/// Puts the configuration together from its files, and knows where each part came from.
struct ConfigurationBuilder {
    private typealias Place = (file: String, line: Int)

    let accounts: AccountDirectory
    let faults: FaultList
    private var modules: [ModuleConfiguration] = []
    private var tokens: [TokenRule] = []
    private var profiles: [ProfileName: Profile] = [:]
    private var modulePlaces: [ModuleSettings: Place] = [:]
    private var moduleNamePlaces: [String: Place] = [:]
    private var tokenPlaces: [PKCS11URI: Place] = [:]
    private var profilePlaces: [ProfileName: Place] = [:]
    private var prompt = PromptSettings()
    private var promptPlace: Place?
    private var lockOn: Set<LockEvent>?
    private var lockOnPlace: Place?

    init(accounts: AccountDirectory, faults: FaultList) {
        self.accounts = accounts
        self.faults = faults
    }

    var configuration: Configuration {
        Configuration(modules: modules, tokens: tokens, profiles: profiles, prompt: prompt, lockOn: lockOn)
    }

    /// Adds what a file says.
    mutating func add(_ entries: [String: TOMLNode], from file: String) {
        var document = TableReader(entries, title: "the file", at: (file, 1), faults: faults)
        for var table in Self.tables("module", in: &document) { add(module: &table) }
        for var table in Self.tables("token", in: &document) { add(token: &table) }
        if var table = document.table("prompt", title: "[prompt]") { add(prompt: &table) }
        let profiles = document.value("profile") { node throws(ValueFault) -> [String: TOMLNode] in
            guard case .table(let profiles) = node.value else {
                throw ValueFault(" is \(node.kind); write [profile.NAME] for each")
            }
            return profiles
        }
        for (name, node) in (profiles ?? [:]).sorted(by: { $0.value.line < $1.value.line }) {
            add(profile: name, node, from: file)
        }
        addLockOn(&document)
        document.refuseUnknownKeys()
    }

    /// The elements of `[[key]]`.
    private static func tables(_ key: String, in document: inout TableReader) -> [TableReader] {
        let place = document
        let elements =
            document.value(key) { node throws(ValueFault) -> [TOMLNode] in
                guard case .array(let elements) = node.value else {
                    throw ValueFault(" is \(node.kind); write [[\(key)]], once for each")
                }
                return elements
            } ?? []
        return elements.compactMap { node in
            guard case .table(let entries) = node.value else {
                place.fault(at: node.line, "\(key) holds \(node.kind); write [[\(key)]], once for each")
                return nil
            }
            return TableReader(
                entries, title: "[[\(key)]]", at: (place.file, node.line), faults: place.faults)
        }
    }

    private mutating func add(module table: inout TableReader) {
        guard let module = ModuleConfiguration(reading: &table) else { return }
        let settings = ModuleSettings(module)
        if let first = modulePlaces[settings] {
            repeated("this module", first, table)
        } else if let name = module.name, let first = moduleNamePlaces[name] {
            table.fault(
                "a module named \(name) stands in \(first.file):\(first.line) already; "
                    + "give another one of its library a path, and a name of its own")
        } else {
            modulePlaces[settings] = (table.file, table.line)
            if let name = module.name { moduleNamePlaces[name] = (table.file, table.line) }
            modules.append(module)
        }
    }

    /// The settings by which two tables are the same module.
    private struct ModuleSettings: Hashable {
        let location: ModuleConfiguration.Location
        let environment: [String: String]
        let initArguments: String?

        init(_ module: ModuleConfiguration) {
            (location, environment, initArguments) = (module.location, module.environment, module.initArguments)
        }
    }

    private mutating func add(token table: inout TableReader) {
        guard let token = TokenRule(reading: &table) else { return }
        if let first = tokenPlaces[token.uri] {
            repeated("a rule for this uri", first, table)
        } else {
            tokenPlaces[token.uri] = (table.file, table.line)
            tokens.append(token)
        }
    }

    private mutating func add(prompt table: inout TableReader) {
        prompt = PromptSettings(reading: &table)
        if let first = promptPlace {
            repeated("[prompt]", first, table)
        } else {
            promptPlace = (table.file, table.line)
        }
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
        let profile = Profile(reading: &table, accounts: accounts)
        if let first = profilePlaces[name] {
            repeated("profile \(name)", first, table)
        } else {
            profilePlaces[name] = (file, node.line)
            profiles[name] = profile
        }
    }

    private mutating func addLockOn(_ document: inout TableReader) {
        let events = document.list("lock-on", LockEvent.read)
        guard document.has("lock-on") else { return }
        let line = document.lineOf("lock-on")
        if let first = lockOnPlace {
            document.fault(at: line, "lock-on stands in \(first.file):\(first.line) already; keep one of them")
        } else {
            lockOnPlace = (document.file, line)
            lockOn = Set(events)
        }
    }

    private func repeated(_ what: String, _ first: Place, _ table: TableReader) {
        table.fault("\(what) stands in \(first.file):\(first.line) already; keep one of them")
    }
}
