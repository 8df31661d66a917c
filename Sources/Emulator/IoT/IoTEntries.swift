/// The part `iot` of the configuration, with files by their names.
struct IoTEntries: Decodable {
    private let cas: [String]
    private let certificates: [CertificateEntry]
    private let roleAliases: [IoTResources.RoleAlias]

    private enum Key: String, CodingKey, CaseIterable { case cas, certificates, roleAliases }

    init(from decoder: any Decoder) throws {
        let object = try decoder.object(of: Key.self)
        cas = try object.decode([String].self, forKey: .cas)
        certificates = try object.optional(.certificates) ?? []
        roleAliases = try object.optional(.roleAliases) ?? []
    }

    /// - Throws: A file that cannot be read, or holds no certificate.
    func resources(in folder: Substring) throws(ConfigurationError) -> IoTResources {
        let path = { (file: String) in file.hasPrefix("/") ? file : folder + file }
        var resources = IoTResources(roleAliases: roleAliases)
        for file in cas { resources.authorities.append(try FileBytes.read(path(file))) }
        for entry in certificates { resources.certificates.append(try entry.certificate(at: path(entry.file))) }
        return resources
    }
}

private struct CertificateEntry: Decodable {
    let file: String
    private let isActive: Bool?
    private let aliases: [String]?
    private let things: [String]?

    private enum Key: String, CodingKey, CaseIterable { case file, active, roleAliases, things }

    init(from decoder: any Decoder) throws {
        let object = try decoder.object(of: Key.self)
        file = try object.decode(String.self, forKey: .file)
        isActive = try object.optional(.active)
        aliases = try object.optional(.roleAliases)
        things = try object.optional(.things)
    }

    func certificate(at path: String) throws(ConfigurationError) -> IoTResources.Certificate {
        guard let der = TrustAnchor.blocks(of: "CERTIFICATE", in: try FileBytes.read(path))?.first else {
            throw ConfigurationError(path: path, reason: "it holds no PEM certificate")
        }
        return IoTResources.Certificate(
            id: Hex.encode(Digest.sha256(der)), isActive: isActive ?? true, aliases: aliases ?? [],
            things: things ?? [])
    }
}

extension IoTResources.RoleAlias: Decodable {
    private enum Key: String, CodingKey, CaseIterable { case name, roleArn, durationSeconds }

    init(from decoder: any Decoder) throws {
        let object = try decoder.object(of: Key.self)
        name = try object.decode(String.self, forKey: .name)
        roleARN = try object.decode(String.self, forKey: .roleArn)
        durationSeconds = try object.optional(.durationSeconds) ?? 3600
        guard (900...43_200).contains(durationSeconds) else {
            throw FileFault(description: "role alias '\(name)': durationSeconds is from 900 to 43200")
        }
    }
}
