import PKCS11URI
import SignatureSchemes

extension Request {
    /// The frame's kind.
    package var kind: UInt8 {
        switch self {
        case .load: 1
        case .list: 2
        case .logIn: 3
        case .logOut: 4
        case .sign: 5
        case .dateKey: 6
        case .presence: 16
        case .renewSessions: 17
        case .readers: 18
        case .registeredModules: 19
        case .management: 20
        }
    }

    package var body: [UInt8] {
        var writer = WireWriter(room: 512)  // most are shorter, those for signatures among them
        switch self {
        case .load(let load): writer.add(load)
        case .list(let scope): writer.add(scope)
        case .presence, .renewSessions, .registeredModules: break
        case .logIn(let request): writer.add(request)
        case .logOut(let token): writer.add(token)
        case .sign(let request): writer.add(request)
        case .dateKey(let request): writer.add(request)
        case .readers(let request): writer.add(request)
        case .management(let request): writer.add(request)
        }
        return writer.bytes
    }

    package init(kind: UInt8, body: [UInt8]) throws(WireError) {
        var reader = WireReader(body)
        switch kind {
        case 1: self = .load(try reader.value())
        case 2: self = .list(try reader.value())
        case 3: self = .logIn(try reader.value())
        case 4: self = .logOut(try reader.value())
        case 5: self = .sign(try reader.value())
        case 6: self = .dateKey(try reader.value())
        case 16: self = .presence
        case 17: self = .renewSessions
        case 18: self = .readers(try reader.value())
        case 19: self = .registeredModules
        case 20: self = .management(try reader.value())
        default: throw .unknownKind(kind)
        }
        try reader.end()
    }
}

extension ReaderRequest: WireValue {
    package func write(to writer: inout WireWriter) {
        switch self {
        case .after(let version): writer.add(1 as UInt8, version)
        case .now: writer.add(2 as UInt8)
        case .reset(let reader): writer.add(3 as UInt8, reader)
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.value() as UInt8 {
        case 1: self = .after(try reader.value())
        case 2: self = .now
        case 3: self = .reset(try reader.list(upTo: 64))
        default: throw .badValue
        }
    }
}

extension ListScope: WireValue {
    package func write(to writer: inout WireWriter) {
        switch self {
        case .all(let spared): writer.add(1 as UInt8, spared)
        case .one(let token): writer.add(2 as UInt8, token)
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.value() as UInt8 {
        case 1: self = .all(sparing: try reader.value())
        case 2: self = .one(try reader.value())
        default: throw .badValue
        }
    }
}

extension TokenReference: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(slotID, token) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(slotID: try reader.value(), token: try reader.value())
    }
}

extension TokenDescription: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(label, manufacturer, model, serial) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            label: try reader.list(upTo: 64), manufacturer: try reader.list(upTo: 64),
            model: try reader.list(upTo: 64), serial: try reader.list(upTo: 64))
    }
}

extension LoginRequest: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(token, source, refused, mayBeReserved, isFromLogin) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            token: try reader.value(), source: try reader.value(), refused: try reader.value(),
            mayBeReserved: try reader.value(), isFromLogin: try reader.value())
    }
}

extension LoginRequest.Source: WireValue {
    package func write(to writer: inout WireWriter) {
        switch self {
        case .typed: writer.add(1 as UInt8)
        case .file(let path): writer.add(2 as UInt8, path)
        case .protected: writer.add(3 as UInt8)
        case .credential(let path): writer.add(4 as UInt8, path)
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.value() as UInt8 {
        case 1: self = .typed
        case 2: self = .file(path: try reader.value())
        case 3: self = .protected
        case 4: self = .credential(path: try reader.value())
        default: throw .badValue
        }
    }
}

extension FailedPIN: WireValue {
    /// Those of one token as several modules show it.
    package static let mostInList = 1024

    package func write(to writer: inout WireWriter) { writer.add(salt, hash) }

    package init(from reader: inout WireReader) throws(WireError) {
        guard let pin = Self(salt: try reader.value(), hash: try reader.value()) else { throw .badValue }
        self = pin
    }
}

extension SignatureScheme.Algorithm: WireValue {}
extension SignatureScheme.Hash: WireValue {}

extension SignRequest: WireValue {
    package func write(to writer: inout WireWriter) {
        writer.add(token, keyID, keyLabel, publicHalf, scheme.algorithm, scheme.hash)
        writer.add(message, digest, source, refused, mayBeReserved)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            token: try reader.value(), keyID: try reader.value(), keyLabel: try reader.value(),
            publicHalf: try reader.value(), scheme: SignatureScheme(try reader.value(), try reader.value()),
            message: try reader.value(), digest: try reader.value(),
            source: try reader.value(), refused: try reader.value(), mayBeReserved: try reader.value())
    }
}
