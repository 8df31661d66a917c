import PKCS11URI

extension TokenSnapshot: WireValue {
    package func write(to writer: inout WireWriter) {
        writer.add(slotID, slot, token, flags.rawValue, isLoggedIn)
        writer.add(UInt32(clamping: pinLength.lowerBound), UInt32(clamping: pinLength.upperBound))
        writer.add(certificates, keys, hasPSS, failure)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        slotID = try reader.value()
        slot = try reader.value()
        token = try reader.value()
        flags = TokenFlags(rawValue: try reader.value())
        isLoggedIn = try reader.value()
        let (shortest, longest): (UInt32, UInt32) = (try reader.value(), try reader.value())
        guard shortest <= longest else { throw .badValue }
        pinLength = Int(shortest)...Int(longest)
        certificates = try reader.value()
        keys = try reader.value()
        hasPSS = try reader.value()
        failure = try reader.value()
    }
}

extension SlotDescription: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(description, manufacturer) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(description: try reader.list(upTo: 64), manufacturer: try reader.list(upTo: 32))
    }
}

extension CertificateObject: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(id, label, value) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(id: try reader.value(), label: try reader.value(), value: try reader.value())
    }
}

extension KeyObject.Class: WireValue {}

extension KeyObject: WireValue {
    package func write(to writer: inout WireWriter) {
        writer.add(keyClass, id, label, publicHalf, canSign, alwaysAuthenticates)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            keyClass: try reader.value(), id: try reader.value(), label: try reader.value(),
            publicHalf: try reader.value(), canSign: try reader.value(), alwaysAuthenticates: try reader.value())
    }
}

extension PublicHalf: WireValue {
    package func write(to writer: inout WireWriter) {
        switch self {
        case .rsa(let modulus, let exponent): writer.add(1 as UInt8, modulus, exponent)
        case .ec(let parameters, let point): writer.add(2 as UInt8, parameters, point)
        case .other(let keyType): writer.add(3 as UInt8, keyType)
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.value() as UInt8 {
        case 1: self = .rsa(modulus: try reader.value(), exponent: try reader.value())
        case 2: self = .ec(parameters: try reader.value(), point: try reader.value())
        case 3: self = .other(keyType: try reader.value())
        default: throw .badValue
        }
    }
}
