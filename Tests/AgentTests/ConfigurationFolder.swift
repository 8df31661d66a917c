import Foundation
import RolesAnywhere
import Testing

@testable import Agent

/// A folder with configuration files for one test.
final class ConfigurationFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("configuration-\(UUID())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    convenience init(_ text: String) throws {
        try self.init()
        try write(text)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }  // what is left is in the temporary folder

    var main: String { "\(path)/config.toml" }

    func write(_ text: String, to name: String = "config.toml", mode: Int = 0o644) throws {
        try write(Array(text.utf8), to: name, mode: mode)
    }

    func write(_ bytes: [UInt8], to name: String, mode: Int = 0o644) throws {
        let file = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
    }

    func load() throws -> Configuration {
        try ConfigurationLoader(environment: [:], isSystem: false, accounts: .ofTests).load(path: main)
    }

    func profile(_ name: String) throws -> Profile {
        let profiles = try load().profiles
        return try #require(profiles.first { $0.key.description == name }?.value)
    }

    /// What loading complains of, line by line, with the folder's path left out.
    func faults() -> [String] {
        do {
            _ = try load()
            return []
        } catch {
            let text = "\(error)".replacingOccurrences(of: "\(path)/", with: "")
            return text.split(separator: "\n").map(String.init)
        }
    }
}

extension AccountDirectory {
    /// alice is 1001, the group deploy is 2001, and there is nobody else.
    static var ofTests: Self {
        Self(ownUser: geteuid(), user: { $0 == "alice" ? 1001 : nil }, group: { $0 == "deploy" ? 2001 : nil })
    }
}

extension Profile {
    /// What it asks Roles Anywhere for; nil for another source.
    var session: CreateSessionRequest? {
        if case .rolesAnywhere(_, let request) = source { request } else { nil }
    }
}

/// The keys that a profile cannot do without.
enum ProfileText {
    static let trustAnchor =
        "arn:aws:rolesanywhere:eu-central-1:111122223333:trust-anchor/11111111-2222-3333-4444-555555555555"
    static let profile =
        "arn:aws:rolesanywhere:eu-central-1:111122223333:profile/66666666-7777-8888-9999-000000000000"
    static let role = "arn:aws:iam::111122223333:role/example"

    static let arns = """
        trust-anchor-arn = "\(trustAnchor)"
        profile-arn = "\(profile)"
        role-arn = "\(role)"

        """

    /// `[profile.p]` in line 1, its ARNs in lines 2 to 4, and `more` from line 5 on.
    static func with(_ more: String) -> String { "[profile.p]\n\(arns)\(more)" }
}
