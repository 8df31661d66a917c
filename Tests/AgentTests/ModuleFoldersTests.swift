import Testing

@testable import Agent

@Suite("What a module may change")
struct ModuleFoldersTests {
    @Test("The three keys are read, and nothing is open without them")
    func keysAreRead() throws {
        let folder = try ConfigurationFolder(
            """
            [[module]]
            path = '/m'
            [[module]]
            path = '/n'
            network = true
            writable = ['/a/', '/b']
            init-arguments = "configdir='sql:/db'"
            [[module]]
            path = '/o'
            writable = []
            """)
        let modules = try folder.load().modules
        #expect(modules.map(\.hasNetwork) == [false, true, false])
        #expect(modules.map(\.writable) == [nil, ["/a", "/b"], []])
        #expect(modules.map(\.initArguments) == [nil, "configdir='sql:/db'", nil])
    }

    @Test("What the configuration lists is all, beside the null device")
    func listIsAll() {
        var module = ModuleConfiguration(location: .path("/m"), environment: ["STORE": "/var/lib"])
        module.writable = ["/a"]
        #expect(module.load(library: "/m", home: "/home/me").walls.writable == ["/a", "/dev/null"])
    }

    @Test("Without a list it is where data belongs, and no home, program or setting of the system's")
    func dataIsWritable() {
        let folders = ModuleFolders(module: ModuleConfiguration(location: .path("/m")), home: "/root").all
        #expect(folders.contains("/var") && folders.contains("/dev") && folders.contains("/tmp"))
        for kept in ["/", "/etc", "/usr", "/home", "/root", "/proc", "/run"] { #expect(!folders.contains(kept)) }
    }

    @Test(
        "A folder that its settings name is writable, unless it holds the home or belongs to the system",
        arguments: [
            ("/proc/self/../1", nil, false), ("/usr/share", nil, false), ("/etc", nil, false), ("/", nil, false),
            ("/var/lib", "/var/lib", false), ("/var/lib", "/var/lib/me", false), ("/var/lib", "/home/me", true),
            ("/nonexistent", nil, false), ("relative", nil, false),
        ] as [(String, String?, Bool)])
    func environmentNamesFolders(_ value: String, _ home: String?, _ isWritable: Bool) {
        let module = ModuleConfiguration(location: .path("/m"), environment: ["STORE": value])
        #expect(ModuleFolders(module: module, home: home).all.contains(value) == isWritable)
    }

    @Test(
        "NSS's database is writable, however its init string quotes it",
        arguments: [
            "configdir='sql:/var/lib' flags=", "flags= configdir=\"dbm:/var/lib\" x", "configdir=/var/lib flags=",
            "configdir=sql:/var/lib",
        ])
    func databaseIsWritable(_ arguments: String) {
        var module = ModuleConfiguration(location: .path("/m"))
        module.initArguments = arguments
        #expect(ModuleFolders(module: module, home: nil).all.contains("/var/lib"))
    }

    @Test("SoftHSM's token folder is writable, wherever its configuration puts it")
    func tokenFolderIsWritable() throws {
        let folder = try ConfigurationFolder()
        try folder.write("# a comment\n directories.tokendir  =  /var/lib \nlog.level = ERROR\n", to: "softhsm2.conf")
        let module = ModuleConfiguration(
            location: .path("/m"), environment: ["SOFTHSM2_CONF": "\(folder.path)/softhsm2.conf"])
        #expect(ModuleFolders(module: module, home: nil).all.contains("/var/lib"))
    }
}
