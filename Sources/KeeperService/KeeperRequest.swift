package import TokenService

/// What the agent asks of a keeper beside what it asks of a worker: all that makes, changes and deletes objects, and the
/// parsing of files with keys in them. It travels as the bytes of `Request.management`, which no worker understands.
///
/// Each kind of request has a file of its own here, and the file that carries it out in `Keeper`.
package enum KeeperRequest: Hashable, Sendable {
    case generateKey(KeyGeneration)
    case readKey(KeySelection)
    case destroyKey(KeySelection)
    case openKeyFile(KeyFileOpening)
    case importKey(KeyImport)
    case installCertificates(CertificateInstallation)
    case removeCertificates(CertificateRemoval)
}

/// What a keeper answers.
package enum KeeperReply: Hashable, Sendable {
    /// To `generateKey`, `readKey` and `importKey`.
    case key(KeyReport)
    /// To `openKeyFile`.
    case keyFile(KeyFileReport)
    /// To `destroyKey`: what was destroyed, as it was before.
    case destroyed(KeyReport)
    /// To `installCertificates`: those that were not there before. To `removeCertificates`: those that were.
    case certificates(CertificateChanges)
    case failed(KeeperFailure)
}

extension KeeperRequest {
    /// Whether the token may be another one afterwards, also where the request fails.
    package var makesChanges: Bool {
        switch self {
        case .generateKey, .destroyKey, .importKey, .installCertificates, .removeCertificates: true
        case .readKey, .openKeyFile: false
        }
    }

    package var bytes: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .generateKey(let request): writer.add(1 as UInt8, request)
        case .readKey(let selection): writer.add(2 as UInt8, selection)
        case .destroyKey(let selection): writer.add(3 as UInt8, selection)
        case .openKeyFile(let opening): writer.add(4 as UInt8, opening)
        case .importKey(let request): writer.add(5 as UInt8, request)
        case .installCertificates(let request): writer.add(6 as UInt8, request)
        case .removeCertificates(let request): writer.add(7 as UInt8, request)
        }
        return writer.bytes
    }

    package init(_ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        switch try reader.value() as UInt8 {
        case 1: self = .generateKey(try reader.value())
        case 2: self = .readKey(try reader.value())
        case 3: self = .destroyKey(try reader.value())
        case 4: self = .openKeyFile(try reader.value())
        case 5: self = .importKey(try reader.value())
        case 6: self = .installCertificates(try reader.value())
        case 7: self = .removeCertificates(try reader.value())
        case let kind: throw .unknownKind(kind)
        }
        try reader.end()
    }
}

extension KeeperReply {
    package var bytes: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .key(let report): writer.add(1 as UInt8, report)
        case .destroyed(let report): writer.add(2 as UInt8, report)
        case .keyFile(let report): writer.add(3 as UInt8, report)
        case .certificates(let changes): writer.add(4 as UInt8, changes)
        case .failed(let failure): writer.add(0 as UInt8, failure)
        }
        return writer.bytes
    }

    package init(_ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        switch try reader.value() as UInt8 {
        case 0: self = .failed(try reader.value())
        case 1: self = .key(try reader.value())
        case 2: self = .destroyed(try reader.value())
        case 3: self = .keyFile(try reader.value())
        case 4: self = .certificates(try reader.value())
        case let kind: throw .unknownKind(kind)
        }
        try reader.end()
    }
}
