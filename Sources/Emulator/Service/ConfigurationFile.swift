import FoundationEssentials

/// The JSON file that `--config` names. Paths in it are relative to its folder.
struct ConfigurationFile {
    private let region: String?
    private let skewSeconds: Int?
    private let trustAnchors: [TrustAnchorEntry]
    private let profiles: [Profile]
    private let roles: [Role]
    private let users: [IAMUser]
    private let stsRegions: [String]?
    private let iot: IoTEntries?

    /// - Throws: `ConfigurationError`, which names the file and the fault in it.
    static func load(_ path: String) throws(ConfigurationError) -> Resources {
        let text = try FileBytes.read(path)
        let file: ConfigurationFile
        do {
            file = try JSONDecoder().decode(ConfigurationFile.self, from: Data(text))
        } catch let error as DecodingError {
            throw ConfigurationError(path: path, reason: describe(error))
        } catch {
            throw ConfigurationError(path: path, reason: "\(error)")
        }
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        let anchors = try file.trustAnchors.map { entry throws(ConfigurationError) in try entry.anchor(in: folder) }
        guard let region = file.region ?? anchors.first?.name.region else {
            throw ConfigurationError(path: path, reason: "it has neither a region nor a trust anchor")
        }
        let iot = try file.iot?.resources(in: folder) ?? IoTResources()
        return Resources(
            region: region, trustAnchors: anchors, profiles: file.profiles, roles: file.roles, users: file.users,
            iot: iot, stsRegions: file.stsRegions,
            skewSeconds: max(0, min(file.skewSeconds ?? 300, 86_400)))
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

extension ConfigurationFile: Decodable {
    private enum Key: String, CodingKey, CaseIterable {
        case region, skewSeconds, trustAnchors, profiles, roles, users, stsRegions, iot
    }

    init(from decoder: any Decoder) throws {
        let object = try decoder.object(of: Key.self)
        region = try object.optional(.region)
        skewSeconds = try object.optional(.skewSeconds)
        trustAnchors = try object.decode([TrustAnchorEntry].self, forKey: .trustAnchors)
        profiles = try object.decode([Profile].self, forKey: .profiles)
        roles = try object.decode([Role].self, forKey: .roles)
        users = try object.optional(.users) ?? []
        stsRegions = try object.optional(.stsRegions)
        iot = try object.optional(.iot)
    }
}

/// A trust anchor by the names of its files.
private struct TrustAnchorEntry: Decodable {
    private let name: ResourceName
    private let aliases: [String]?
    private let isEnabled: Bool?
    private let certificates: [String]
    private let lists: [String]?

    private enum Key: String, CodingKey, CaseIterable { case arn, aliases, enabled, certificates, crls }

    init(from decoder: any Decoder) throws {
        let object = try decoder.object(of: Key.self)
        name = try object.name(.arn, of: "rolesanywhere")
        aliases = try object.optional(.aliases)
        isEnabled = try object.optional(.enabled)
        certificates = try object.decode([String].self, forKey: .certificates)
        lists = try object.optional(.crls)
    }

    func anchor(in folder: Substring) throws(ConfigurationError) -> TrustAnchor {
        let path = { (file: String) in file.hasPrefix("/") ? file : folder + file }
        var anchor = try TrustAnchor(
            name: name, files: certificates.map(path), revocationLists: (lists ?? []).map(path))
        anchor.aliases = aliases ?? []
        anchor.isEnabled = isEnabled ?? true
        return anchor
    }
}

extension Profile: Decodable {
    private enum Key: String, CodingKey, CaseIterable {
        case arn, aliases, enabled, roleArns, durationSeconds, acceptRoleSessionName, requireInstanceProperties
        /// A real profile can be pasted here; policies only ever limit, and the credentials open nothing anyway.
        case managedPolicyArns
    }

    init(from decoder: any Decoder) throws {
        let object = try decoder.object(of: Key.self)
        name = try object.name(.arn, of: "rolesanywhere")
        aliases = try object.optional(.aliases) ?? []
        isEnabled = try object.optional(.enabled) ?? true
        roleARNs = try object.decode([String].self, forKey: .roleArns)
        durationSeconds = try object.optional(.durationSeconds) ?? 3600
        acceptsRoleSessionName = try object.optional(.acceptRoleSessionName) ?? false
        requiresInstanceProperties = try object.optional(.requireInstanceProperties) ?? false
        _ = try object.optional(.managedPolicyArns) as [String]?
    }
}

extension Role: Decodable {
    private enum Key: String, CodingKey, CaseIterable {
        case arn, maxSessionDuration, principalTags, sourceArn, trustPolicy
    }

    init(from decoder: any Decoder) throws {
        let object = try decoder.object(of: Key.self)
        name = try object.name(.arn, of: "iam")
        maxSessionDuration = try object.optional(.maxSessionDuration) ?? 3600
        principalTags = try object.optional(.principalTags) ?? [:]
        sourceARN = try object.optional(.sourceArn)
        trustPolicy = try object.optional(.trustPolicy)
    }
}

extension IAMUser: Decodable {
    private enum Key: String, CodingKey, CaseIterable { case arn, accessKeyId, secretAccessKey, mfaSerial, mfaSeed }

    init(from decoder: any Decoder) throws {
        let object = try decoder.object(of: Key.self)
        name = try object.name(.arn, of: "iam")
        accessKeyID = try object.decode(String.self, forKey: .accessKeyId)
        secretAccessKey = try object.decode(String.self, forKey: .secretAccessKey)
        guard let serial = try object.optional(.mfaSerial) as String? else { return }
        guard let seed = MFADevice.seed(base32: try object.decode(String.self, forKey: .mfaSeed)) else {
            throw FileFault(description: "the mfaSeed of \(name.text) is not base32")
        }
        mfa = MFADevice(serial: serial, seed: seed)
    }
}

/// Valid JSON that is no valid configuration.
struct FileFault: Error, CustomStringConvertible {
    let description: String
}

extension Decoder {
    /// An object all of whose keys are among `Key`'s: a misspelt `enabled` would make a test lie.
    func object<Key: CodingKey & CaseIterable>(of _: Key.Type) throws -> KeyedDecodingContainer<Key> {
        for name in try [String: Ignored](from: self).keys where Key(stringValue: name) == nil {
            let known = Key.allCases.map(\.stringValue).joined(separator: ", ")
            throw FileFault(description: "unknown key '\(name)'; known here: \(known)")
        }
        return try container(keyedBy: Key.self)
    }
}

/// Any value.
struct Ignored: Decodable {
    init(from decoder: any Decoder) {}
}

extension KeyedDecodingContainer {
    func optional<Value: Decodable>(_ key: Key) throws -> Value? {
        try decodeIfPresent(Value.self, forKey: key)
    }

    func name(_ key: Key, of service: String) throws -> ResourceName {
        let text = try decode(String.self, forKey: key)
        guard let name = ResourceName(text), name.service == service else {
            throw FileFault(description: "'\(text)' is no ARN of \(service)")
        }
        return name
    }
}
