import PKCS11URI

extension Request {
    /// The frame's kind.
    package var kind: UInt8 {
        switch self {
        case .load: 1
        case .list: 2
        case .logIn: 3
        case .logOut: 4
        case .sign: 5
        case .presence: 16
        case .renewSessions: 17
        case .readers: 18
        case .registeredModules: 19
        }
    }

    package var body: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .load(let load): load.write(to: &writer)
        case .list(.all(let spared)):
            writer.byte(1)
            writer.list(spared) { $1.write(to: &$0) }
        case .list(.one(let token)):
            writer.byte(2)
            token.write(to: &writer)
        case .presence, .renewSessions, .registeredModules: break
        case .logIn(let request): request.write(to: &writer)
        case .logOut(let token):
            writer.list(token.map { [$0] } ?? []) { $1.write(to: &$0) }
        case .sign(let request): request.write(to: &writer)
        case .readers(let request): request.write(to: &writer)
        }
        return writer.bytes
    }

    package init(kind: UInt8, body: [UInt8]) throws(WireError) {
        var reader = WireReader(body)
        switch kind {
        case 1: self = .load(try ModuleLoad(from: &reader))
        case 2: self = .list(try ListScope(from: &reader))
        case 3: self = .logIn(try LoginRequest(from: &reader))
        case 4:
            let tokens = try reader.list(smallest: 24) { (reader) throws(WireError) in
                try TokenReference(from: &reader)
            }
            guard tokens.count <= 1 else { throw .badValue }
            self = .logOut(tokens.first)
        case 5: self = .sign(try SignRequest(from: &reader))
        case 16: self = .presence
        case 17: self = .renewSessions
        case 18: self = .readers(try ReaderRequest(from: &reader))
        case 19: self = .registeredModules
        default: throw .unknownKind(kind)
        }
        try reader.end()
    }
}

extension ReaderRequest {
    func write(to writer: inout WireWriter) {
        switch self {
        case .after(let version):
            writer.byte(1)
            writer.number64(version)
        case .now: writer.byte(2)
        case .reset(let reader):
            writer.byte(3)
            writer.blob(reader)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .after(try reader.number64())
        case 2: self = .now
        case 3: self = .reset(try reader.blob(upTo: 64))
        default: throw .badValue
        }
    }
}

extension ListScope {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1:
            self = .all(
                sparing: try reader.list(smallest: 16) { (reader) throws(WireError) in
                    try TokenDescription(from: &reader)
                })
        case 2: self = .one(try TokenReference(from: &reader))
        default: throw .badValue
        }
    }
}

extension TokenReference {
    func write(to writer: inout WireWriter) {
        writer.number64(slotID)
        token.write(to: &writer)
    }

    init(from reader: inout WireReader) throws(WireError) {
        slotID = try reader.number64()
        token = try TokenDescription(from: &reader)
    }
}

extension TokenDescription {
    func write(to writer: inout WireWriter) {
        for field in [label, manufacturer, model, serial] { writer.blob(field) }
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            label: try reader.blob(upTo: 64), manufacturer: try reader.blob(upTo: 64),
            model: try reader.blob(upTo: 64), serial: try reader.blob(upTo: 64))
    }
}

extension LoginRequest {
    func write(to writer: inout WireWriter) {
        token.write(to: &writer)
        source.write(to: &writer)
        writer.list(refused) { $1.write(to: &$0) }
        writer.flag(mayBeReserved)
        writer.flag(isFromLogin)
    }

    init(from reader: inout WireReader) throws(WireError) {
        token = try TokenReference(from: &reader)
        source = try Source(from: &reader)
        refused = try FailedPIN.list(from: &reader)
        mayBeReserved = try reader.flag()
        isFromLogin = try reader.flag()
    }
}

extension LoginRequest.Source {
    func write(to writer: inout WireWriter) {
        switch self {
        case .typed: writer.byte(1)
        case .file(let path):
            writer.byte(2)
            writer.text(path)
        case .protected: writer.byte(3)
        case .credential(let path):
            writer.byte(4)
            writer.text(path)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .typed
        case 2: self = .file(path: try reader.text())
        case 3: self = .protected
        case 4: self = .credential(path: try reader.text())
        default: throw .badValue
        }
    }
}

extension FailedPIN {
    func write(to writer: inout WireWriter) {
        writer.blob(salt)
        writer.blob(hash)
    }

    init(from reader: inout WireReader) throws(WireError) {
        guard let pin = Self(salt: try reader.blob(), hash: try reader.blob()) else { throw .badValue }
        self = pin
    }

    static func list(from reader: inout WireReader) throws(WireError) -> [FailedPIN] {
        try reader.list(smallest: 8 + saltLength + hashLength, limit: mostOfRequest) { (reader) throws(WireError) in
            try FailedPIN(from: &reader)
        }
    }
}

extension SignRequest {
    func write(to writer: inout WireWriter) {
        token.write(to: &writer)
        writer.blob(keyID)
        writer.list(keyLabel.map { [$0] } ?? []) { $0.blob($1) }
        writer.list(publicHalf.map { [$0] } ?? []) { $1.write(to: &$0) }
        writer.blob(message)
        writer.blob(digest)
        source.write(to: &writer)
        writer.list(refused) { $1.write(to: &$0) }
        writer.flag(mayBeReserved)
    }

    init(from reader: inout WireReader) throws(WireError) {
        token = try TokenReference(from: &reader)
        keyID = try reader.blob()
        keyLabel = try reader.list(smallest: 4, limit: 1) { (reader) throws(WireError) in try reader.blob() }.first
        publicHalf = try reader.list(smallest: 9) { (reader) throws(WireError) in
            try PublicHalf(from: &reader)
        }.first
        message = try reader.blob()
        digest = try reader.blob()
        source = try LoginRequest.Source(from: &reader)
        refused = try FailedPIN.list(from: &reader)
        mayBeReserved = try reader.flag()
    }
}
