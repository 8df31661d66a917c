import Testing

/// Keys, modules and PIN rules that are well-formed and wrong.
struct ConfigurationSettingTests {
    @Test("A wrong key or table is named, with what was meant", arguments: keys)
    func keysAreRefused(_ row: FaultCase) throws {
        #expect(try ConfigurationFolder(row.text).faults() == row.faults)
    }

    static let keys = [
        FaultCase("modules = 1", "config.toml:1: unknown key \"modules\" in the file; did you mean \"module\"?"),
        FaultCase("[profiles.prod]", "config.toml:1: unknown key \"profiles\" in the file; did you mean \"profile\"?"),
        FaultCase(
            "\nlog-level = 'debug'",
            "config.toml:2: unknown key \"log-level\" in the file; it takes module, token, prompt, profile, listener, lock-on"
        ),
        FaultCase(
            "\"a\\u001b[2Jb\\u202Ec\" = 1",
            "config.toml:1: unknown key \"a\\u{1b}[2Jb\\u{202e}c\" in the file; it takes module, token, prompt, profile, listener, lock-on"
        ),
        FaultCase(
            "[[module]]\npath = '/m'\nsessoins = 3",
            "config.toml:3: unknown key \"sessoins\" in [[module]]; did you mean \"sessions\"?"),
        FaultCase(
            "[[module]]\npath = '/m'\nlibrary = '/n'",
            "config.toml:3: unknown key \"library\" in [[module]]; it takes path, name, environment, sessions, "
                + "network, writable, init-arguments, list-timeout-seconds, login-timeout-seconds, "
                + "sign-timeout-seconds, touch-timeout-seconds"),
        FaultCase(
            "[[token]]\nuri = 'pkcs11:token=a'\npin_source = 'prompt'",
            "config.toml:3: unknown key \"pin_source\" in [[token]]; did you mean \"pin-source\"?"),
        FaultCase(
            "[[token]]\nuri = 'pkcs11:token=a'\npin = '1234'",
            "config.toml:3: unknown key \"pin\" in [[token]]; it takes uri, pin-source, pin-lifetime-seconds, touch, "
                + "reserved-pins"),
        FaultCase(
            ProfileText.with("duration = 900"),
            "config.toml:5: unknown key \"duration\" in [profile.p]; it takes source, certificate, private-key, "
                + "certificate-subject, certificate-issuer, certificate-serial, intermediates, trust-anchor-arn, "
                + "profile-arn, role-arn, session-duration-seconds, role-session-name, instance-properties, endpoint, "
                + "use-fips-endpoint, use-dualstack-endpoint, ca-bundle, allow, fallback, fallback-other-role"),
        FaultCase(
            ProfileText.with("role = 'x'\n[profile.p.allow]\nuser = ['alice']\nusers = []"),
            "config.toml:5: unknown key \"role\" in [profile.p]; did you mean \"role-arn\"?",
            "config.toml:7: unknown key \"user\" in [profile.p.allow]; did you mean \"users\"?"),
        FaultCase("[[prompt]]", "config.toml:1: prompt is an array; give a table"),
        FaultCase(
            "[prompt]\nprogram = 'pinentry'\ntimeout-seconds = 41",
            "config.toml:2: program is \"pinentry\", which is relative; give an absolute path, from / on",
            "config.toml:3: timeout-seconds is 41; give 5 to 40"),
        FaultCase(
            "[prompt]\nnotify = 'yes'", "config.toml:2: notify is a string; give true or false"),
        FaultCase(
            "[prompt]\ntimeout = 5",
            "config.toml:2: unknown key \"timeout\" in [prompt]; did you mean \"timeout-seconds\"?"),
        FaultCase("module = 1", "config.toml:1: module is an integer; write [[module]], once for each"),
        FaultCase("[module]\npath = '/m'", "config.toml:1: module is a table; write [[module]], once for each"),
        FaultCase("module = [\n 1,\n]", "config.toml:2: module holds an integer; write [[module]], once for each"),
        FaultCase("[token]\nuri = 'pkcs11:'", "config.toml:1: token is a table; write [[token]], once for each"),
        FaultCase("[[profile]]\nname = 'p'", "config.toml:1: profile is an array; write [profile.NAME] for each"),
        FaultCase("[profile]\np = 'x'", "config.toml:2: profile.p is a string; write [profile.p]"),
        FaultCase(
            "[profile.\"a b\"]",
            "config.toml:1: \"a b\" is no name for a profile; "
                + "use 1 to 64 letters, digits and _.-, the first no dot or dash"),
        FaultCase(
            "[profile.-a]",
            "config.toml:1: \"-a\" is no name for a profile; "
                + "use 1 to 64 letters, digits and _.-, the first no dot or dash"),
        FaultCase(
            "profile.\"\".source = 1",
            "config.toml:1: \"\" is no name for a profile; "
                + "use 1 to 64 letters, digits and _.-, the first no dot or dash"),
        FaultCase(
            "[profile.p]",
            "config.toml:1: [profile.p] has no trust-anchor-arn; add it",
            "config.toml:1: [profile.p] has no profile-arn; add it",
            "config.toml:1: [profile.p] has no role-arn; add it"),
    ]

    @Test("A wrong module is refused", arguments: modules)
    func modulesAreRefused(_ row: FaultCase) throws {
        #expect(try ConfigurationFolder("[[module]]\n" + row.text).faults() == row.faults)
    }

    static let modules = [
        FaultCase("", "config.toml:1: [[module]] has neither path nor name; add one of them"),
        FaultCase(
            "path = 'lib/m.so'",
            "config.toml:2: path is \"lib/m.so\", which is relative; give an absolute path, from / on"),
        FaultCase(
            "path = '~/m.so'",
            "config.toml:2: path is \"~/m.so\", which is relative; give an absolute path, from / on"),
        FaultCase("path = '/usr/lib/'", "config.toml:2: path is \"/usr/lib/\", which is a directory; give a file"),
        FaultCase(
            "path = '/usr/lib/p11-kit-proxy.so'",
            "config.toml:2: path is \"/usr/lib/p11-kit-proxy.so\", which is p11-kit's proxy, which loads every registered module "
                + "into one process; leave its [[module]] out, which uses them all, or give the name of one that "
                + "'p11-kit list-modules' shows"),
        FaultCase("path = ''", "config.toml:2: path is empty; give a value, or remove the key"),
        FaultCase("path = \"/a\\nb\"", "config.toml:2: path holds a control character; remove it"),
        FaultCase("path = 7", "config.toml:2: path is an integer; give a string"),
        FaultCase(
            "path = \"/\(String(repeating: "a", count: 4096))\"",
            "config.toml:2: path has 4097 bytes; give at most 4096"),
        FaultCase(
            "name = 'a/b'",
            "config.toml:2: name is \"a/b\", which p11-kit cannot have; give a name that 'p11-kit list-modules' shows"),
        FaultCase(
            "name = 'opensc.module'", "config.toml:2: name is \"opensc.module\", a file's name; leave .module out"),
        FaultCase("name = true", "config.toml:2: name is a boolean; give a string"),
        FaultCase("path = '/m'\nsessions = 0", "config.toml:3: sessions is 0; give 1 to 64"),
        FaultCase("path = '/m'\nsessions = 65", "config.toml:3: sessions is 65; give 1 to 64"),
        FaultCase(
            "path = '/m'\nlist-timeout-seconds = 0", "config.toml:3: list-timeout-seconds is 0; give 1 to 600"),
        FaultCase(
            "path = '/m'\ntouch-timeout-seconds = 601", "config.toml:3: touch-timeout-seconds is 601; give 1 to 600"),
        FaultCase("path = '/m'\nsessions = '2'", "config.toml:3: sessions is a string; give an integer"),
        FaultCase("path = '/m'\nnetwork = 'yes'", "config.toml:3: network is a string; give true or false"),
        FaultCase("path = '/m'\nwritable = '/a'", "config.toml:3: writable is a string; give an array"),
        FaultCase(
            "path = '/m'\nwritable = ['a']",
            "config.toml:3: writable is \"a\", which is relative; give an absolute path, from / on"),
        FaultCase(
            "path = '/m'\nwritable = ['//']",
            "config.toml:3: writable is /, which would be no limit; name the folders"),
        FaultCase("path = '/m'\ninit-arguments = 1", "config.toml:3: init-arguments is an integer; give a string"),
        FaultCase("path = '/m'\nenvironment = 'A=b'", "config.toml:3: environment is a string; give a table"),
        FaultCase("path = '/m'\nenvironment.A = 1", "config.toml:3: environment.A is an integer; give a string"),
        FaultCase(
            "path = '/m'\n[module.environment]\n\nA = 'a'\n\"B=\" = 'b'\n1C = 'c'",
            "config.toml:6: environment.B= is no name for a variable; use letters, digits and _",
            "config.toml:7: environment.1C is no name for a variable; use letters, digits and _"),
        FaultCase(
            "path = '/m'\n[[module]]\npath = '/m'",
            "config.toml:3: this module stands in config.toml:1 already; keep one of them"),
        FaultCase(
            "path = '/m'\nname = 'x'\nenvironment.A = 'a'\n[[module]]\npath = '/m'\nname = 'y'\nenvironment.A = 'a'",
            "config.toml:5: this module stands in config.toml:1 already; keep one of them"),
        FaultCase(
            "name = 'm'\n[[module]]\nname = 'm'\nenvironment.A = 'b'",
            "config.toml:3: a module named m stands in config.toml:1 already; "
                + "give another one of its library a path, and a name of its own"),
        FaultCase(
            "name = 'm'\n[[module]]\npath = '/m'\nname = 'm'",
            "config.toml:3: a module named m stands in config.toml:1 already; "
                + "give another one of its library a path, and a name of its own"),
    ]

    @Test(
        "One library is as many modules as it has environments and init strings, each with a name where it is given one"
    )
    func modulesOfOneLibrary() throws {
        let text = """
            module = [{ path = "/m", name = "one", environment = { A = "1" } }, { path = "/m", environment = { A = "2" } },
                { path = "/m", init-arguments = "x" }, { path = "/m" }]
            """
        let modules = try ConfigurationFolder(text).load().modules
        #expect(modules.map(\.location) == Array(repeating: .path("/m"), count: 4))
        #expect(modules.map(\.name) == ["one", nil, nil, nil])
    }

    @Test("A wrong PIN rule is refused", arguments: tokens)
    func tokensAreRefused(_ row: FaultCase) throws {
        #expect(try ConfigurationFolder("[[token]]\n" + row.text).faults() == row.faults)
    }

    private static let pinSources = "give prompt, file:/PATH, credential:NAME or protected"

    static let tokens = [
        FaultCase("pin-source = 'prompt'", "config.toml:1: [[token]] has no uri; add it"),
        FaultCase("uri = ['pkcs11:']", "config.toml:2: uri is an array; give a string"),
        FaultCase(
            "uri = 'token=x'",
            "config.toml:2: uri: column 1: this is no PKCS#11 URI; start it with 'pkcs11:', as in 'pkcs11:token=LABEL'"),
        FaultCase(
            "uri = 'pkcs11:tokn=x'",
            "config.toml:2: uri: column 8: unknown attribute 'tokn'; known here: token, manufacturer, serial, model, library-manufacturer, library-version, library-description, object, type, id, slot-description, slot-manufacturer, slot-id"
        ),
        FaultCase(
            "uri = 'pkcs11:token=%zz'",
            "config.toml:2: uri: column 14: '%' without two hexadecimal digits; write a percent sign as %25"),
        FaultCase(
            "uri = 'pkcs11:token=a;token=b'",
            "config.toml:2: uri: column 16: token is given twice; keep one of them"),
        FaultCase(
            "uri = 'pkcs11:token=a?pin-value=1234'",
            "config.toml:2: uri holds a pin-value, which is refused because whoever reads the file learns the PIN; "
                + "use pin-source in [[token]], or run 'tokenward unlock'"),
        FaultCase(
            "uri = ' PKCS11:token=a?PIN-Value=1234'",
            "config.toml:2: uri holds a pin-value, which is refused because whoever reads the file learns the PIN; "
                + "use pin-source in [[token]], or run 'tokenward unlock'"),
        FaultCase(
            "uri = 'pkcs11:token=a?pin-source=file:/p'",
            "config.toml:2: uri has a pin-source, which we would not use; write it as pin-source of a [[token]]"),
        FaultCase(
            "uri = 'pkcs11:token=a;object=b'",
            "config.toml:2: uri names an object, and a PIN belongs to a token; leave out object, id and type"),
        FaultCase(
            "uri = 'pkcs11:'\npin-source = '1234'", "config.toml:3: pin-source is none that we know; \(pinSources)"),
        FaultCase(
            "uri = 'pkcs11:'\npin-source = 'Prompt'", "config.toml:3: pin-source is none that we know; \(pinSources)"),
        FaultCase(
            "uri = 'pkcs11:'\npin-source = 'file:123456'",
            "config.toml:3: pin-source holds no path of this machine behind file:; give file:/PATH, without escapes"),
        FaultCase(
            "uri = 'pkcs11:'\npin-source = 'credential:12/34'",
            "config.toml:3: pin-source holds no name behind credential:; give the name of a systemd credential, without /"
        ),
        FaultCase("uri = 'pkcs11:'\npin-source = 1234", "config.toml:3: pin-source is an integer; give a string"),
        FaultCase(
            "uri = 'pkcs11:'\npin-source = 'file:pin'",
            "config.toml:3: pin-source holds no path of this machine behind file:; give file:/PATH, without escapes"),
        FaultCase(
            "uri = 'pkcs11:'\npin-source = 'file://host/pin'",
            "config.toml:3: pin-source holds no path of this machine behind file:; give file:/PATH, without escapes"),
        FaultCase(
            "uri = 'pkcs11:'\npin-source = 'file:/a%20b'",
            "config.toml:3: pin-source holds no path of this machine behind file:; give file:/PATH, without escapes"),
        FaultCase(
            "uri = 'pkcs11:'\npin-source = 'credential:'",
            "config.toml:3: pin-source holds no name behind credential:; give the name of a systemd credential, without /"
        ),
        FaultCase(
            "uri = 'pkcs11:'\npin-source = 'credential:../pin'",
            "config.toml:3: pin-source holds no name behind credential:; give the name of a systemd credential, without /"
        ),
        FaultCase(
            "uri = 'pkcs11:'\npin-lifetime-seconds = -1",
            "config.toml:3: pin-lifetime-seconds is -1; give 0 to 604800"),
        FaultCase(
            "uri = 'pkcs11:'\npin-lifetime-seconds = 604801",
            "config.toml:3: pin-lifetime-seconds is 604801; give 0 to 604800"),
        FaultCase("uri = 'pkcs11:'\ntouch = 1", "config.toml:3: touch is an integer; give true or false"),
        FaultCase(
            "uri = 'pkcs11:token=a'\n[[token]]\nuri = 'pkcs11:token=%61'",
            "config.toml:3: a rule for this uri stands in config.toml:1 already; keep one of them"),
    ]
}
