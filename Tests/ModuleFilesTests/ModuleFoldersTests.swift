import Glibc
import Testing

@testable import ModuleFiles

@Suite("What a module may change")
struct ModuleFoldersTests {
    @Test("The folders are those of the configuration, and the null device")
    func listIsAll() {
        var module = ModuleConfiguration(location: .path("/m"), environment: ["STORE": "/var/lib"])
        module.writable = ["/a"]
        #expect(module.load(library: "/m", home: "/home/me", own: []).walls.writable == ["/a", "/dev/null"])
    }

    @Test("Without a list it is where data belongs, and no home, program or setting of the system's")
    func dataIsWritable() {
        let folders = writable([:], own: ["/root"])
        for data in ["/dev", "/tmp", "/var/lib", "/var/tmp"] { #expect(folders.contains(data)) }
        for kept in ["/", "/etc", "/usr", "/home", "/root", "/proc", "/run", "/var"] {
            #expect(!folders.contains(kept))
        }
    }

    @Test(
        "A folder of data is kept where it is the agent's, or holds what is",
        arguments: ["/tmp", "/var/lib", "/var/tmp", "/opt", "/srv", "/dev"])
    func ownFoldersAreKept(_ folder: String) {
        let usual = writable([:], own: [])
        #expect(usual.contains(folder))
        for own in [folder, "\(folder)/me", "\(folder)/none/me/.config/tokenward/conf.d"] {
            #expect(writable([:], own: [own]) == usual.filter { $0 != folder })
        }
    }

    @Test(
        "A folder that its settings name is writable, unless it holds the home or belongs to the system",
        arguments: [
            ("/proc/self/../1", nil, false), ("/usr/share", nil, false), ("/etc", nil, false), ("/", nil, false),
            ("/var", nil, false), ("/home", nil, false), ("/var/log", "/var/log", false),
            ("/var/log", "/var/log/me", false), ("/var/log", "/home/me", true), ("/nonexistent", nil, false),
            ("relative", nil, false),
        ] as [(String, String?, Bool)])
    func environmentNamesFolders(_ value: String, _ home: String?, _ isWritable: Bool) {
        #expect(writable(["STORE": value], home: home).contains(value) == isWritable)
    }

    @Test(
        "Variables of the system's name no folder to change",
        arguments: [
            ("HOME", false), ("PATH", false), ("XDG_DATA_HOME", false), ("XDG_CONFIG_HOME", false),
            ("LD_LIBRARY_PATH", false), ("LD_PRELOAD", false), ("TPM2_PKCS11_STORE", true), ("XDGX", true),
        ])
    func variablesOfTheSystem(_ name: String, _ isWritable: Bool) {
        #expect(writable([name: "/var/log"]).contains("/var/log") == isWritable)
    }

    @Test(
        "NSS's database is writable, however its init string quotes it",
        arguments: [
            "configdir='sql:/var/log' flags=", "flags= configdir=\"dbm:/var/log\" x", "configdir=/var/log flags=",
            "configdir=sql:/var/log",
        ])
    func databaseIsWritable(_ arguments: String) {
        var module = ModuleConfiguration(location: .path("/m"))
        module.initArguments = arguments
        #expect(ModuleFolders(module: module, home: nil, own: []).all.contains("/var/log"))
    }

    @Test("A link leads where it leads, for the agent's folders and for a module's")
    func linksAreFollowed() throws {
        let place = try TemporaryFolder(folders: ["real/me/.config", "real/me/store"])
        try place.link("home", to: "\(place.path)/real")
        try place.link("way", to: "home/me/store/")
        let own = [place.path, "\(place.path)/home/me", "\(place.path)/home/me/.config/tokenward/conf.d"]
        for kept in ["real", "real/me", "home/me/", "real/me/.config", "home/./me/../me/.config"] {
            #expect(writable(["STORE": "\(place.path)/\(kept)"], own: own) == writable([:], own: own))
        }
        for named in ["real/me/store", "home/me/store", "way"] {
            #expect(
                writable(["STORE": "\(place.path)/\(named)"], own: own).contains("\(place.path)/real/me/store"))
        }
    }

    @Test("A link that the module may have laid leads nowhere")
    func laidLinks() throws {
        let place = try TemporaryFolder(folders: ["store/inside", "secret"])
        try place.link("store/laid", to: "\(place.path)/secret")
        try place.link("far", to: "store/laid")
        for laid in ["store/laid", "far", "store/laid/../secret", "store/inside/../../secret"] {
            let found = writable(["STORE": "\(place.path)/store", "TOO": "\(place.path)/\(laid)"], own: [place.path])
            #expect(found.filter { $0.hasPrefix(place.path) } == ["\(place.path)/store"])
        }
    }

    @Test(
        "SoftHSM's token folder is writable wherever its configuration puts it, unless the module can change that",
        arguments: [
            ("tokens", "", ["hsm/tokens"]), ("", "", []), ("../else", "", ["else"]), ("../else", "else", ["else"]),
            ("../else", "hsm", ["hsm"]), ("tokens", "hsm", ["hsm"]),
        ] as [(String, String, [String])])
    func tokenFolderIsWritable(_ tokens: String, _ named: String, _ expected: [String]) throws {
        let place = try TemporaryFolder(folders: ["hsm/tokens", "else"])
        try place.write(
            "# a comment\n directories.tokendir  =  \(place.path)/hsm/\(tokens) \nlog.level = ERROR\n",
            to: "hsm/softhsm2.conf")
        let variables = ["SOFTHSM2_CONF": "\(place.path)/hsm/softhsm2.conf", "STORE": "\(place.path)/\(named)"]
        let found = writable(variables, own: [place.path]).filter { $0.hasPrefix(place.path) }
        #expect(found == expected.map { "\(place.path)/\($0)" })
    }

    private func writable(_ environment: [String: String], home: String? = nil, own: [String] = []) -> [String] {
        let module = ModuleConfiguration(location: .path("/m"), environment: environment)
        return ModuleFolders(module: module, home: home, own: own).all
    }
}
