import FoundationEssentials

/// The JSON file that `--config` names. Paths in it are relative to its folder.
struct ConfigurationFile: Decodable, NamesItsKeys {
    static let keys = ["region", "skewSeconds", "trustAnchors", "profiles", "roles"]

    struct TrustAnchorEntry: Decodable, NamesItsKeys {
        static let keys = ["arn", "aliases", "enabled", "certificates", "crls"]

        let arn: String
        let aliases: [String]?
        let enabled: Bool?
        let certificates: [String]
        let crls: [String]?
    }

    struct ProfileEntry: Decodable, NamesItsKeys {
        static let keys = [
            "arn", "aliases", "enabled", "roleArns", "durationSeconds", "acceptRoleSessionName",
            "requireInstanceProperties", "managedPolicyArns",
        ]

        let arn: String
        let aliases: [String]?
        let enabled: Bool?
        let roleArns: [String]
        let durationSeconds: Int?
        let acceptRoleSessionName: Bool?
        let requireInstanceProperties: Bool?
        /// Read so that a real profile can be pasted here; policies only ever limit, and nothing here is permitted anyway.
        let managedPolicyArns: [String]?
    }

    struct RoleEntry: Decodable, NamesItsKeys {
        static let keys = ["arn", "maxSessionDuration", "principalTags", "sourceArn"]

        let arn: String
        let maxSessionDuration: Int?
        let principalTags: [String: String]?
        let sourceArn: String?
    }

    let region: String?
    let skewSeconds: Int?
    let trustAnchors: [Checked<TrustAnchorEntry>]
    let profiles: [Checked<ProfileEntry>]
    let roles: [Checked<RoleEntry>]
}

extension ConfigurationFile {
    /// - Throws: `ConfigurationError`, which names the file and what is wrong with it.
    static func load(_ path: String) throws(ConfigurationError) -> Resources {
        let text = try Self.read(path)
        let file: ConfigurationFile
        do {
            file = try JSONDecoder().decode(Checked<ConfigurationFile>.self, from: Data(text)).value
        } catch let error as KnownKeys.UnknownKey {
            let known = error.known.joined(separator: ", ")
            throw ConfigurationError(path: path, reason: "unknown key '\(error.name)'; known here: \(known)")
        } catch let error as DecodingError {
            throw ConfigurationError(path: path, reason: Self.describe(error))
        } catch {
            throw ConfigurationError(path: path, reason: "\(error)")
        }
        let folder = path.contains("/") ? String(path[...(path.lastIndex(of: "/") ?? path.startIndex)]) : ""
        return try file.resources(path: path, folder: folder)
    }

    private func resources(path: String, folder: String) throws(ConfigurationError) -> Resources {
        func name(_ text: String, _ service: String) throws(ConfigurationError) -> ResourceName {
            guard let name = ResourceName(text), name.service == service else {
                throw ConfigurationError(path: path, reason: "'\(text)' is no ARN of \(service)")
            }
            return name
        }
        var anchors: [TrustAnchor] = []
        for entry in trustAnchors.map(\.value) {
            let files = entry.certificates.map { $0.hasPrefix("/") ? $0 : folder + $0 }
            let lists = (entry.crls ?? []).map { $0.hasPrefix("/") ? $0 : folder + $0 }
            var anchor = try TrustAnchor(name: name(entry.arn, "rolesanywhere"), files: files, revocationLists: lists)
            anchor.aliases = entry.aliases ?? []
            anchor.isEnabled = entry.enabled ?? true
            anchors.append(anchor)
        }
        var profiles: [Profile] = []
        for entry in self.profiles.map(\.value) {
            var profile = try Profile(name: name(entry.arn, "rolesanywhere"), roleARNs: entry.roleArns)
            profile.aliases = entry.aliases ?? []
            profile.isEnabled = entry.enabled ?? true
            profile.durationSeconds = entry.durationSeconds ?? 3600
            profile.acceptsRoleSessionName = entry.acceptRoleSessionName ?? false
            profile.requiresInstanceProperties = entry.requireInstanceProperties ?? false
            profiles.append(profile)
        }
        var roles: [Role] = []
        for entry in self.roles.map(\.value) {
            var role = try Role(name: name(entry.arn, "iam"))
            role.maxSessionDuration = entry.maxSessionDuration ?? 3600
            role.principalTags = entry.principalTags ?? [:]
            role.sourceARN = entry.sourceArn
            roles.append(role)
        }
        guard let region = region ?? anchors.first?.name.region else {
            throw ConfigurationError(path: path, reason: "it has neither a region nor a trust anchor")
        }
        return Resources(
            region: region, trustAnchors: anchors, profiles: profiles, roles: roles,
            skewSeconds: max(0, min(skewSeconds ?? 300, 86_400)))
    }

    static func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
        do {
            return try FileBytes.read(path)
        } catch {
            throw ConfigurationError(path: path, reason: error.reason)
        }
    }

    private static func describe(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "\(place(context.codingPath)) has no '\(key.stringValue)'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(place(context.codingPath)) has the wrong type"
        default: "it is not valid JSON"
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.isEmpty ? "the file" : path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }
}

/// A file or a value that the emulator cannot start with.
package struct ConfigurationError: Error, CustomStringConvertible {
    let path: String
    let reason: String

    package var description: String { "\(path): \(reason)" }
}
