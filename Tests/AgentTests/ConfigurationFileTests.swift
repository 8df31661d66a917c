import Foundation
import ModuleFiles
import Testing

@testable import Agent

/// Which files are read, in which order, and whose they must be.
struct ConfigurationFileTests {
    @Test("Drop-ins follow the file in the order of their names' bytes")
    func dropIns() throws {
        let folder = try ConfigurationFolder("[[module]]\npath = '/main'")
        for name in ["b.toml", "B.toml", "10.toml", "9.toml", "é.toml", ".hidden.toml", "a.toml~", "a.conf"] {
            try folder.write("[[module]]\npath = '/\(name)'", to: "conf.d/\(name)")
        }
        #expect(
            try folder.load().modules.map(\.location)
                == ["main", "10.toml", "9.toml", "B.toml", "b.toml", "é.toml"].map { .path("/\($0)") })
    }

    @Test("A profile, module or PIN rule that stands in two files names both places")
    func duplicates() throws {
        let text = "[[module]]\nname = 'm'\n[[token]]\nuri = 'pkcs11:token=t'\n"
        let folder = try ConfigurationFolder(text + ProfileText.with(""))
        try folder.write("\n" + ProfileText.with(""), to: "conf.d/1.toml")
        try folder.write("\n" + text, to: "conf.d/2.toml")
        #expect(
            folder.faults() == [
                "conf.d/1.toml:2: profile p stands in config.toml:5 already; keep one of them",
                "conf.d/2.toml:2: this module stands in config.toml:1 already; keep one of them",
                "conf.d/2.toml:4: a rule for this uri stands in config.toml:3 already; keep one of them",
            ])
    }

    @Test("A profile that is wrong in one file is still there for the next")
    func duplicateOfWrong() throws {
        let folder = try ConfigurationFolder("[profile.p]\nsource = 'sso'")
        try folder.write(ProfileText.with(""), to: "conf.d/1.toml")
        #expect(
            folder.faults() == [
                "config.toml:2: source is \"sso\"; give one of roles-anywhere, iot-core, assume-role, access-key",
                "conf.d/1.toml:1: profile p stands in config.toml:1 already; keep one of them",
            ])
    }

    @Test("Faults of all files are told of, file by file and from the top")
    func allFaults() throws {
        let folder = try ConfigurationFolder("z = 1\nmodul = 2\n[[module]]\nsessions = 0")
        try folder.write("a", to: "conf.d/1.toml")
        try folder.write("x = 1\nx = 2", to: "conf.d/2.toml")
        try folder.write("tokens = 1", to: "conf.d/3.toml")
        #expect(
            folder.faults() == [
                "config.toml:1: unknown key \"z\" in the file; it takes module, token, prompt, profile, listener, lock-on",
                "config.toml:2: unknown key \"modul\" in the file; did you mean \"module\"?",
                "config.toml:3: [[module]] has neither path nor name; add one of them",
                "config.toml:4: sessions is 0; give 1 to 64",
                "conf.d/1.toml:1: a key without =; write KEY = VALUE",
                "conf.d/2.toml:2: \"x\" stands in line 1 already; keep one of them",
                "conf.d/3.toml:1: unknown key \"tokens\" in the file; did you mean \"token\"?",
            ])
    }

    @Test("Of many faults twenty are printed", arguments: [(20, nil), (21, "… and 1 more"), (5000, "… and 4980 more")])
    func manyFaults(_ count: Int, _ last: String?) throws {
        let faults = try ConfigurationFolder((1...count).map { "k\($0) = 1\n" }.joined()).faults()
        #expect(faults.count == (last == nil ? 20 : 21))
        #expect(faults[19].hasPrefix("config.toml:20: unknown key \"k20\""))
        #expect(last == nil || faults.last == last)
    }

    @Test("A folder is read even where the file is missing, and no file at all is an empty configuration")
    func missingFile() throws {
        let folder = try ConfigurationFolder()
        let loader = ConfigurationLoader(
            environment: ["XDG_CONFIG_HOME": folder.path], isSystem: false, accounts: .ofTests)
        #expect(try loader.load(path: nil) == Configuration(modules: [], tokens: [], profiles: [:]))
        try folder.write("[[module]]\nname = 'm'", to: "tokenward/conf.d/1.toml")
        #expect(try loader.load(path: nil).modules.count == 1)
    }

    @Test("A file that was named must exist")
    func namedFile() throws {
        #expect(try ConfigurationFolder().faults() == ["config.toml: does not exist; create it, or name another file"])
    }

    @Test("The option comes before TOKENWARD_CONFIG, then XDG_CONFIG_HOME, then HOME")
    func places() throws {
        let folder = try ConfigurationFolder()
        for name in ["option/c", "variable/c", "xdg/tokenward/config", "home/.config/tokenward/config"] {
            try folder.write("[[module]]\npath = '/\(name)'", to: "\(name).toml")
        }
        var environment = [
            "TOKENWARD_CONFIG": "\(folder.path)/variable/c.toml", "XDG_CONFIG_HOME": "\(folder.path)/xdg",
            "HOME": "\(folder.path)/home",
        ]
        func found(_ path: String?) throws -> ModuleConfiguration.Location? {
            try ConfigurationLoader(environment: environment, isSystem: false, accounts: .ofTests)
                .load(path: path).modules.first?.location
        }
        #expect(try found("\(folder.path)/option/c.toml") == .path("/option/c"))
        #expect(try found(nil) == .path("/variable/c"))
        environment["TOKENWARD_CONFIG"] = ""
        #expect(try found(nil) == .path("/xdg/tokenward/config"))
        environment["XDG_CONFIG_HOME"] = "xdg"
        #expect(try found(nil) == .path("/home/.config/tokenward/config"))
        environment["HOME"] = nil
        let error = #expect(throws: ConfigurationError.self) { try found(nil) }
        #expect(
            error?.description
                == "configuration: neither XDG_CONFIG_HOME nor HOME says where it is; set one, or use --config")
    }

    @Test(
        "Bytes that are not UTF-8 are refused with their line",
        arguments: [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0xAF]])
    func invalidUTF8(_ bytes: [UInt8]) throws {
        let folder = try ConfigurationFolder()
        try folder.write(Array("# é\n\na = '".utf8) + bytes + Array("'\n".utf8), to: "config.toml")
        #expect(folder.faults() == ["config.toml:3: not UTF-8; save the file as UTF-8"])
    }

    @Test(
        "A megabyte is read, and a byte more is not",
        arguments: [(0, []), (1, ["config.toml: more than 1 MiB; a configuration is smaller"])])
    func size(_ more: Int, _ faults: [String]) throws {
        let comment = "#" + String(repeating: "x", count: (1 << 20) - 1 + more)
        #expect(try ConfigurationFolder(comment).faults() == faults)
    }

    @Test("256 drop-ins are read, and one more is not")
    func tooManyDropIns() throws {
        let folder = try ConfigurationFolder("")
        for number in 1...256 { try folder.write("", to: "conf.d/\(number).toml") }
        #expect(folder.faults() == [])
        try folder.write("", to: "conf.d/257.toml")
        #expect(folder.faults() == ["conf.d: more than 256 files; join some of them"])
    }
}
