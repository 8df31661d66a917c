import Glibc
import TokenService

extension ModuleConfiguration {
    /// What its worker is told.
    func load(library: String, home: String?) -> ModuleLoad {
        let folders = ModuleFolders(module: self, home: home)
        return ModuleLoad(
            path: library, sessions: UInt8(clamping: sessions), initArguments: initArguments,
            walls: WorkerWalls(hasNetwork: hasNetwork, writable: writable.map { $0 + ["/dev/null"] } ?? folders.all))
    }
}

/// What a module may change where the configuration does not say: devices, where the system keeps data, and what its own
/// settings name. Not the programs, not /etc, and nobody's home.
struct ModuleFolders {
    let module: ModuleConfiguration
    let home: String?

    /// Only what exists: the worker insists on that.
    var all: [String] {
        let named =
            module.environment.values.filter { $0.hasPrefix("/") } + [database, softHSMTokens].compactMap { $0 }
        let common = ["/dev", "/run/lock", "/tmp", "/var", "/opt", "/srv"]
        return (common + named.filter(isHarmless)).filter(Self.isFolder).sorted()
    }

    /// NSS's database, as its init string has it: `configdir='sql:/home/me/nssdb' …`.
    private var database: String? {
        guard let arguments = module.initArguments, let range = arguments.firstRange(of: "configdir=") else {
            return nil
        }
        var rest = arguments[range.upperBound...]
        let quote = rest.first.flatMap { $0 == "'" || $0 == "\"" ? $0 : nil }
        if quote != nil { rest = rest.dropFirst() }
        let value = rest.prefix { quote == nil ? $0 != " " : $0 != quote }
        return String(value.drop { $0 != "/" })
    }

    /// `directories.tokendir` of softhsm2.conf(5), which may be anywhere.
    private var softHSMTokens: String? {
        let configuration = module.environment["SOFTHSM2_CONF"] ?? home.map { "\($0)/.config/softhsm2/softhsm2.conf" }
        guard let configuration, let text = RegisteredModules.smallFile(configuration) else { return nil }
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.split(separator: " ").joined(separator: " ") }
            if parts.count == 2, parts[0] == "directories.tokendir" { return parts[1] }
        }
        return nil
    }

    /// A variable may name a folder that a module has no business to change.
    private func isHarmless(_ path: String) -> Bool {
        guard let resolved = unsafe realpath(path, nil) else { return false }
        defer { unsafe free(resolved) }
        let real = unsafe String(cString: resolved)
        let kept = ["/etc", "/usr", "/bin", "/sbin", "/lib", "/boot", "/proc", "/sys"]
        let holdsHome = real == "/" || real == home || home?.hasPrefix("\(real)/") == true
        return !holdsHome && !kept.contains { real == $0 || real.hasPrefix("\($0)/") }
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
