import Glibc

/// A module as p11-kit's configuration registers it (pkcs11.conf(5)).
struct RegisteredModule: Hashable, Sendable {
    /// The name of its file, without `.module`.
    var name: String
    /// The library's absolute path, or why this agent does not load it.
    var path: Result<String, Reason>
    /// Its `x-init-reserved:` line.
    var initArguments: String? = nil

    enum Reason: Error, Hashable, Sendable {
        /// It has no `module:` line, such as one that only runs elsewhere (`remote:`).
        case noLibrary
        /// `enable-in:` or `disable-in:` keep it from this program.
        case disabled
        /// It holds trust anchors, not keys (`trust-policy: yes`).
        case trustOnly
    }
}

/// Reads p11-kit's configuration files. The agent reads them itself, because it does not link what loads modules.
struct RegisteredModules: Sendable {
    /// The folders of module files, in p11-kit's own order: a later one overrides a name (pkcs11.conf(5), "Files").
    var folders: [String]
    /// What relative library names are relative to (`pkg-config --variable=p11_module_path p11-kit-1`).
    var libraryFolders: [String]

    static let system = RegisteredModules(
        folders: ["/usr/share/p11-kit/modules", "/etc/pkcs11/modules"],
        libraryFolders: [
            "/usr/lib/x86_64-linux-gnu/pkcs11", "/usr/lib/aarch64-linux-gnu/pkcs11", "/usr/lib64/pkcs11",
            "/usr/lib/pkcs11",
        ])

    /// With the folder of this user, which p11-kit reads for everybody but root.
    static func user(home: String) -> RegisteredModules {
        var modules = system
        if geteuid() != 0 { modules.folders.append("\(home)/.config/pkcs11/modules") }
        return modules
    }

    /// Every registered module, by name.
    func all() -> [RegisteredModule] {
        var files: [String: String] = [:]
        for folder in folders {
            for file in entries(of: folder) where file.hasSuffix(".module") {
                files[String(file.dropLast(".module".count))] = "\(folder)/\(file)"
            }
        }
        return files.sorted { $0.key < $1.key }.map { name, file in
            let settings = settings(of: file)
            return RegisteredModule(
                name: name, path: path(settings: settings), initArguments: settings["x-init-reserved"])
        }
    }

    private func path(settings: [String: String]) -> Result<String, RegisteredModule.Reason> {
        if settings["trust-policy"] == "yes" { return .failure(.trustOnly) }
        if let programs = settings["enable-in"], !programs.contains("tokenward-worker") { return .failure(.disabled) }
        if let programs = settings["disable-in"], programs.contains("tokenward-worker") { return .failure(.disabled) }
        guard let library = settings["module"], !library.isEmpty else { return .failure(.noLibrary) }
        if library.hasPrefix("/") { return .success(library) }
        let candidates = libraryFolders.map { "\($0)/\(library)" }
        return .success(candidates.first { unsafe access($0, F_OK) == 0 } ?? candidates[0])
    }

    /// `name: value` lines; `#` starts a comment line.
    private func settings(of file: String) -> [String: String] {
        var settings: [String: String] = [:]
        for line in (Self.smallFile(file) ?? "").split(separator: "\n") where !line.hasPrefix("#") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            settings[String(line[..<colon])] = String(value.reversed().drop { $0.isWhitespace }.reversed())
        }
        return settings
    }

    private func entries(of folder: String) -> [String] {
        guard let stream = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            names.append(
                unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                    unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
                })
        }
        return names
    }

    /// Its first 16 KiB.
    static func smallFile(_ path: String) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = unsafe read(file, &bytes, bytes.count)
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
