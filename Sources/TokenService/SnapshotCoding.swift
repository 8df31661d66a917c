import PKCS11URI

extension TokenSnapshot {
    func write(to writer: inout WireWriter) {
        writer.number64(slotID)
        writer.list(slot.map { [$0] } ?? []) { writer, slot in
            writer.blob(slot.description)
            writer.blob(slot.manufacturer)
        }
        token.write(to: &writer)
        writer.number64(flags.rawValue)
        writer.flag(isLoggedIn)
        writer.number32(UInt32(clamping: pinLength.lowerBound))
        writer.number32(UInt32(clamping: pinLength.upperBound))
        writer.list(certificates) { $1.write(to: &$0) }
        writer.list(keys) { $1.write(to: &$0) }
        writer.list(failure.map { [$0] } ?? []) { $0.text($1) }
    }

    init(from reader: inout WireReader) throws(WireError) {
        slotID = try reader.number64()
        slot = try reader.list(smallest: 8, limit: 1) { (reader) throws(WireError) in
            SlotDescription(description: try reader.blob(upTo: 64), manufacturer: try reader.blob(upTo: 32))
        }.first
        token = try TokenDescription(from: &reader)
        flags = TokenFlags(rawValue: try reader.number64())
        isLoggedIn = try reader.flag()
        let (shortest, longest) = (Int(try reader.number32()), Int(try reader.number32()))
        guard shortest <= longest else { throw .badValue }
        pinLength = shortest...longest
        certificates = try reader.list(smallest: 12) { (reader) throws(WireError) in
            try CertificateObject(from: &reader)
        }
        keys = try reader.list(smallest: 20) { (reader) throws(WireError) in try KeyObject(from: &reader) }
        failure = try reader.list(smallest: 4) { (reader) throws(WireError) in try reader.text() }.first
    }
}

extension CertificateObject {
    func write(to writer: inout WireWriter) {
        writer.blob(id)
        writer.blob(label)
        writer.blob(value)
    }

    init(from reader: inout WireReader) throws(WireError) {
        id = try reader.blob()
        label = try reader.blob()
        value = try reader.blob()
    }
}

extension KeyObject {
    func write(to writer: inout WireWriter) {
        writer.byte(keyClass.rawValue)
        writer.blob(id)
        writer.blob(label)
        publicHalf.write(to: &writer)
        writer.flag(canSign)
        writer.flag(alwaysAuthenticates)
    }

    init(from reader: inout WireReader) throws(WireError) {
        guard let keyClass = Class(rawValue: try reader.byte()) else { throw .badValue }
        self.keyClass = keyClass
        id = try reader.blob()
        label = try reader.blob()
        publicHalf = try PublicHalf(from: &reader)
        canSign = try reader.flag()
        alwaysAuthenticates = try reader.flag()
    }
}

extension PublicHalf {
    func write(to writer: inout WireWriter) {
        switch self {
        case .rsa(let modulus, let exponent):
            writer.byte(1)
            writer.blob(modulus)
            writer.blob(exponent)
        case .ec(let parameters, let point):
            writer.byte(2)
            writer.blob(parameters)
            writer.blob(point)
        case .other(let keyType):
            writer.byte(3)
            writer.number64(keyType)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .rsa(modulus: try reader.blob(), exponent: try reader.blob())
        case 2: self = .ec(parameters: try reader.blob(), point: try reader.blob())
        case 3: self = .other(keyType: try reader.number64())
        default: throw .badValue
        }
    }
}
