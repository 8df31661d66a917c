import Foundation
import Testing

@testable import Agent

/// Configuration that others could write is refused.
struct ConfigurationSafetyTests {
    @Test("A file that only its owner can write is read", arguments: [0o644, 0o600, 0o400, 0o755, 0o640])
    func safeModes(_ mode: Int) throws {
        let folder = try ConfigurationFolder()
        try folder.write("", to: "config.toml", mode: mode)
        #expect(folder.faults() == [])
    }

    @Test("A file that others can write is refused", arguments: [0o664, 0o646, 0o666, 0o620, 0o602, 0o777])
    func unsafeModes(_ mode: Int) throws {
        let folder = try ConfigurationFolder("")
        try folder.write("", to: "config.toml", mode: mode)
        try folder.write("", to: "conf.d/1.toml", mode: mode)
        let octal = String(mode, radix: 8)
        #expect(
            folder.faults() == [
                "config.toml: others may write it (mode \(octal)); run 'chmod go-w' on it",
                "conf.d/1.toml: others may write it (mode \(octal)); run 'chmod go-w' on it",
            ])
    }

    @Test(
        "A folder of drop-ins that others can write is refused, whatever is in it", arguments: [0o777, 0o775, 0o1777])
    func unsafeFolder(_ mode: Int) throws {
        let folder = try ConfigurationFolder("")
        try folder.write("x = 1", to: "conf.d/1.toml")
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(folder.path)/conf.d")
        #expect(
            folder.faults() == [
                "conf.d: others may write it (mode \(String(mode, radix: 8))); run 'chmod go-w' on it"
            ])
    }

    @Test("A file of another user is refused")
    func foreignOwner() throws {
        let folder = try ConfigurationFolder("")
        // As root, who may give files away, the file becomes another's; as anyone else, the agent does.
        let isRoot = geteuid() == 0
        if isRoot { #expect(unsafe chown(folder.main, 4242, 4242) == 0) }
        let owner: UInt32 = isRoot ? 4242 : geteuid()
        let agent: UInt32 = isRoot ? 0 : 4243
        let accounts = AccountDirectory(ownUser: agent, user: { _ in nil }, group: { _ in nil })
        let loader = ConfigurationLoader(environment: [:], isSystem: false, accounts: accounts)
        let error = #expect(throws: ConfigurationError.self) { try loader.load(path: folder.main) }
        #expect(
            error?.description
                == "\(folder.main): owned by user \(owner); make it root's, or the agent's own (user \(agent))")
    }

    @Test("A symbolic link is not followed, wherever it leads", arguments: ["target.toml", "/etc/hostname", "nowhere"])
    func symbolicLink(_ target: String) throws {
        let folder = try ConfigurationFolder()
        try folder.write("", to: "target.toml")
        try folder.write("", to: "conf.d/1.toml")
        try FileManager.default.createSymbolicLink(atPath: folder.main, withDestinationPath: target)
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/conf.d/2.toml", withDestinationPath: target)
        #expect(
            folder.faults() == [
                "config.toml: a symbolic link, which others could turn; put the file itself here (of a Kubernetes volume: by subPath)",
                "conf.d/2.toml: a symbolic link, which others could turn; put the file itself here (of a Kubernetes volume: by subPath)",
            ])
    }

    @Test("A folder of drop-ins that is a symbolic link or a file is refused")
    func linkedFolder() throws {
        let folder = try ConfigurationFolder("")
        try folder.write("x = 1", to: "elsewhere/1.toml")
        let fault = ["conf.d: not a directory, or a symbolic link to one; put the directory itself here"]
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/conf.d", withDestinationPath: "\(folder.path)/elsewhere")
        #expect(folder.faults() == fault)
        try FileManager.default.removeItem(atPath: "\(folder.path)/conf.d")
        try folder.write("", to: "conf.d")
        #expect(folder.faults() == fault)
    }

    @Test("A file that is not regular is refused, without waiting for it")
    func otherKinds() throws {
        let folder = try ConfigurationFolder()
        #expect(unsafe mkfifo(folder.main, 0o600) == 0)
        try FileManager.default.createDirectory(
            atPath: "\(folder.path)/conf.d/1.toml", withIntermediateDirectories: true)
        #expect(
            folder.faults() == [
                "config.toml: not a regular file; put one here", "conf.d/1.toml: not a regular file; put one here",
            ])
    }

    @Test("A file that cannot be opened says why")
    func unreadable() throws {
        let folder = try ConfigurationFolder("")
        let loader = ConfigurationLoader(environment: [:], isSystem: false, accounts: .ofTests)
        let path = "\(folder.main)/config.toml"
        let error = #expect(throws: ConfigurationError.self) { try loader.load(path: path) }
        let said = error?.description.split(separator: "\n").first.map(String.init)
        #expect(said == "\(path): cannot be read: Not a directory; check its owner and its mode")
    }
}
