/// Reads the configuration: one file, and the drop-ins beside it.
package struct ConfigurationLoader: Sendable {
    private let environment: [String: String]
    private let isSystem: Bool
    private let accounts: AccountDirectory

    /// - Parameters:
    ///   - environment: Of the agent: `TOKENWARD_CONFIG`, `XDG_CONFIG_HOME` and `HOME` matter.
    ///   - isSystem: Whether the agent runs as the system's, with `--system`.
    package init(environment: [String: String], isSystem: Bool, accounts: AccountDirectory = .system) {
        self.environment = environment
        self.isSystem = isSystem
        self.accounts = accounts
    }

    /// Reads the file, then `conf.d/*.toml` beside it in the order of their names' bytes.
    ///
    /// A file in the usual place may be missing: without any file the configuration is empty, and enough to list
    /// certificates with. Modules and PIN rules of drop-ins come after those of the file.
    ///
    /// - Parameter path: `--config`; it comes before `TOKENWARD_CONFIG`, and that before the usual place.
    /// - Throws: All that is wrong in all files.
    package func load(path: String?) throws(ConfigurationError) -> Configuration {
        let faults = FaultList()
        guard let (main, isNamed) = place(path) else {
            faults.add(
                file: "configuration", line: nil,
                "neither XDG_CONFIG_HOME nor HOME says where it is; set one, or use --config")
            throw faults.error
        }
        let files = GuardedFile(owner: accounts.ownUser)
        var builder = ConfigurationBuilder(accounts: accounts, faults: faults)
        add(main, mustExist: isNamed, files, to: &builder)
        let directory = Self.dropIns(beside: main)
        do throws(GuardedFile.Refusal) {
            for name in try files.names(in: directory, suffix: ".toml") ?? [] {
                add("\(directory)/\(name)", mustExist: true, files, to: &builder)
            }
        } catch {
            faults.add(file: directory, line: nil, error.message)
        }
        builder.finish()
        if !faults.isEmpty { throw faults.error }
        return builder.configuration
    }

    /// The folder of the drop-ins, from / on: who may change it, or a folder that it is in, changes the configuration.
    ///
    /// - Parameter path: As for `load`.
    package func dropIns(path: String?) -> String? {
        guard let (main, _) = place(path) else { return nil }
        return main.hasPrefix("/") ? Self.dropIns(beside: main) : "/proc/self/cwd/\(Self.dropIns(beside: main))"
    }

    /// Where the file is, and whether `--config` or `TOKENWARD_CONFIG` names it.
    private func place(_ path: String?) -> (path: String, isNamed: Bool)? {
        if let path { return (path, true) }
        if let path = environment["TOKENWARD_CONFIG"], !path.isEmpty { return (path, true) }
        if isSystem { return ("/etc/tokenward/config.toml", false) }
        // XDG Base Directory Specification: a relative path is to be ignored.
        if let base = environment["XDG_CONFIG_HOME"], base.hasPrefix("/") {
            return ("\(base)/tokenward/config.toml", false)
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return ("\(home)/.config/tokenward/config.toml", false)
    }

    private static func dropIns(beside path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "conf.d" }
        return path[...slash] + "conf.d"
    }

    private func add(_ path: String, mustExist: Bool, _ files: GuardedFile, to builder: inout ConfigurationBuilder) {
        let faults = builder.faults
        defer { faults.endFile() }
        do throws(GuardedFile.Refusal) {
            guard let bytes = try files.read(path) else {
                if mustExist { faults.add(file: path, line: nil, "does not exist; create it, or name another file") }
                return
            }
            let entries = TOMLParser.parse(bytes) { faults.add(file: path, line: $0.line, $0.message) }
            if let entries { builder.add(entries, from: path) }
        } catch {
            faults.add(file: path, line: nil, error.message)
        }
    }
}
