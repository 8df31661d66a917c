extension Reply {
    /// The frame's kind: apart from the requests', so that a confused peer is noticed.
    package var kind: UInt8 {
        switch self {
        case .loaded: 129
        case .tokens: 130
        case .login: 131
        case .loggedOut: 132
        case .signature: 133
        case .dateKey: 135
        case .failed: 134
        case .present: 144
        case .renewed: 145
        case .readers: 146
        case .reset: 147
        case .verifiedCards: 148
        case .registeredModules: 149
        case .management: 150
        }
    }

    package var body: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .loaded(let report): writer.add(report)
        case .tokens(let tokens): writer.add(tokens)
        case .login(let outcome): writer.add(outcome)
        case .loggedOut, .renewed, .reset, .dateKey: break
        case .verifiedCards(let readers): writer.add(readers)
        case .present(let tokens): writer.add(tokens)
        case .readers(let report): writer.add(report)
        case .registeredModules(let modules): writer.add(modules)
        case .management(let reply): writer.add(reply)
        case .signature(let bytes): writer.add(bytes)
        case .failed(let failure): writer.add(failure)
        }
        return writer.bytes
    }

    /// The frame's secret; nil for all kinds but one.
    package var secret: HeldSecret? { if case .dateKey(let key) = self { key } else { nil } }

    package init(kind: UInt8, body: [UInt8], secret: HeldSecret? = nil) throws(WireError) {
        var reader = WireReader(body)
        guard secret == nil || kind == 135 else { throw .badValue }
        switch kind {
        case 129: self = .loaded(try reader.value())
        case 130: self = .tokens(try reader.value())
        case 131: self = .login(try reader.value())
        case 132: self = .loggedOut
        case 133: self = .signature(try reader.value())
        case 134: self = .failed(try reader.value())
        case 135:
            guard let secret, secret.count == DateKeyRequest.length else { throw .badValue }
            self = .dateKey(secret)
        case 144: self = .present(try reader.value())
        case 145: self = .renewed
        case 146: self = .readers(try reader.value())
        case 147: self = .reset
        case 148:
            let readers: [[UInt8]] = try reader.list(upTo: 64)
            guard readers.allSatisfy({ $0.count <= 64 }) else { throw .tooLong }
            self = .verifiedCards(readers)
        case 149: self = .registeredModules(try reader.list(upTo: 1024))
        case 150: self = .management(try reader.value())
        default: throw .unknownKind(kind)
        }
        try reader.end()
    }
}

extension ModuleReport: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(manufacturer, description, version, usesCardReaders) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            manufacturer: try reader.list(upTo: 64), description: try reader.list(upTo: 64),
            version: try reader.value(), usesCardReaders: try reader.value())
    }
}

extension PINOddity: WireValue {}

extension LoginOutcome: WireValue {
    package func write(to writer: inout WireWriter) {
        switch self {
        case .loggedIn: writer.add(1 as UInt8)
        case .notNeeded: writer.add(2 as UInt8)
        case .refused(let refusal): writer.add(3 as UInt8, refusal)
        case .rejected(let returnValue, let name, let failed, let oddities):
            writer.add(4 as UInt8, returnValue, name, failed, oddities)
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.value() as UInt8 {
        case 1: self = .loggedIn
        case 2: self = .notNeeded
        case 3: self = .refused(try reader.value())
        case 4:
            self = .rejected(
                returnValue: try reader.value(), name: try reader.value(), failed: try reader.value(),
                oddities: try reader.list(upTo: PINOddity.allCases.count))
        default: throw .badValue
        }
    }
}

extension LoginRefusal: WireValue {
    private static let codes: [Self: UInt8] = [
        .locked: 1, .finalTry: 2, .countLow: 3, .toBeChanged: 4, .notInitialized: 5, .knownWrong: 7, .noPinpad: 9,
        .notHeld: 10, .reserved: 11, .controlByte: 12,
    ]

    package func write(to writer: inout WireWriter) {
        switch self {
        case .length(let shortest, let longest): writer.add(6 as UInt8, shortest, longest)
        case .unreadable(let reason): writer.add(8 as UInt8, reason)
        default: writer.add(Self.codes[self] ?? 0)
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.value() as UInt8 {
        case 6: self = .length(shortest: try reader.value(), longest: try reader.value())
        case 8: self = .unreadable(reason: try reader.value())
        case let code:
            guard let refusal = Self.codes.first(where: { $0.value == code })?.key else { throw .badValue }
            self = refusal
        }
    }
}

extension WorkerFailure.Kind: WireValue {}

extension WorkerFailure: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(kind, returnValue, text, leavesPINInDoubt) }

    package init(from reader: inout WireReader) throws(WireError) {
        kind = try reader.value()
        returnValue = try reader.value()
        text = try reader.value()
        leavesPINInDoubt = try reader.value()
    }
}
