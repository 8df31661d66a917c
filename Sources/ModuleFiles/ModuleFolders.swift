import Encodings
import Files
import SystemPackage
package import TokenService

extension ModuleConfiguration {
    /// What its worker is told.
    ///
    /// - Parameters:
    ///   - home: The user's home folder; nil for the system agent.
    ///   - own: The agent's folders, see `ModuleFolders`.
    package func load(library: String, home: String?, own: [String]) -> ModuleLoad {
        let folders = writable ?? ModuleFolders(module: self, home: home, own: own).all
        return ModuleLoad(
            path: library, sessions: UInt8(clamping: sessions), initArguments: initArguments,
            walls: WorkerWalls(hasNetwork: hasNetwork, writable: folders + ["/dev/null"]))
    }
}

/// What a module may change where the configuration does not say: devices, where the system keeps data, and what its own
/// settings name. Not the programs, not /etc, no home, and nothing of the agent's.
struct ModuleFolders {
    private let module: ModuleConfiguration
    private let home: String?
    /// The agent's folders, and all on the way to them: a module that may change one of those may put another in their place.
    private let kept: Set<String>

    /// - Parameter own: The agent's folders, its home among them. Not writable, and neither is what holds one of them.
    init(module: ModuleConfiguration, home: String?, own: [String]) {
        self.module = module
        self.home = home
        let trails = ([home].compactMap(\.self) + own).compactMap { PathTrail($0) }
        kept = trails.reduce(into: ["/"]) { $0.formUnion($1.folders.union([$1.target])) }
    }

    /// Only what exists: the worker insists on that. Links are resolved.
    var all: [String] {
        // Not /var: homes may be there.
        let common = [
            "/dev", "/run/lock", "/tmp", "/var/lib", "/var/cache", "/var/tmp", "/var/opt", "/var/spool", "/opt", "/srv",
        ].compactMap { PathTrail($0)?.target }.filter(isHarmless)
        let named = (namedPaths.map { PathTrail($0) } + [softHSMTokens]).compactMap(\.self)
            .filter { isHarmless($0.target) }
        // Where the module may change what stands on the way, it would choose the folder.
        let writable = common + named.map(\.target)
        let steady = named.filter { trail in
            !trail.folders.contains { folder in writable.contains { Self.is(folder, beneath: $0) } }
        }
        return Set(common + steady.map(\.target)).sorted()
    }

    /// What its variables and its init string say.
    private var namedPaths: [String] {
        let variables = module.environment.filter { name, _ in
            !["HOME", "PATH"].contains(name) && !name.hasPrefix("XDG_") && !name.hasPrefix("LD_")
        }
        return Array(variables.values) + [database].compactMap(\.self)
    }

    /// NSS's database, as its init string has it: `configdir='sql:/home/me/nssdb' …`.
    private var database: String? {
        guard let arguments = module.initArguments, let range = arguments.range(ofText: "configdir=") else {
            return nil
        }
        var rest = arguments[range.upperBound...]
        let quote = rest.first.flatMap { $0 == "'" || $0 == "\"" ? $0 : nil }
        if quote != nil { rest = rest.dropFirst() }
        let value = rest.prefix { quote == nil ? $0 != " " : $0 != quote }
        return String(value.drop { $0 != "/" })
    }

    /// `directories.tokendir` of softhsm2.conf(5), which may be anywhere. The way to it leads over that file.
    private var softHSMTokens: PathTrail? {
        let configuration = module.environment["SOFTHSM2_CONF"] ?? home.map { "\($0)/.config/softhsm2/softhsm2.conf" }
        guard let file = configuration.flatMap({ PathTrail($0) }),
            let text = OpenFile.beginning(of: file.target, 16_384)
        else { return nil }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.split(separator: " ").joined(separator: " ") }
            if parts.count == 2, parts[0] == "directories.tokendir" { return PathTrail(parts[1], after: file) }
        }
        return nil
    }

    /// A variable may name a folder that a module has no business to change.
    private func isHarmless(_ path: String) -> Bool {
        let system = ["/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/proc", "/sys"]
        let holdsOthers = ["/home", "/run", "/var"].contains(path)
        return Self.isFolder(path) && !kept.contains(path) && !holdsOthers
            && !system.contains { Self.is(path, beneath: $0) }
    }

    private static func `is`(_ path: String, beneath folder: String) -> Bool {
        path == folder || path.hasPrefix("\(folder)/")
    }

    private static func isFolder(_ path: String) -> Bool { (try? unsafe Stat(path))?.type == .directory }
}
