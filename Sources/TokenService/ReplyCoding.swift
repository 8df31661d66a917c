extension Reply {
    /// The frame's kind: apart from the requests', so that a confused peer is noticed.
    package var kind: UInt8 {
        switch self {
        case .loaded: 129
        case .tokens: 130
        case .login: 131
        case .loggedOut: 132
        case .signature: 133
        case .failed: 134
        case .present: 144
        case .renewed: 145
        case .readers: 146
        case .reset: 147
        case .verifiedCards: 148
        case .registeredModules: 149
        }
    }

    package var body: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .loaded(let report):
            writer.blob(report.manufacturer)
            writer.blob(report.description)
            writer.text(report.version)
            writer.flag(report.usesCardReaders)
        case .tokens(let tokens): writer.list(tokens) { $1.write(to: &$0) }
        case .login(let outcome): outcome.write(to: &writer)
        case .loggedOut, .renewed, .reset: break
        case .verifiedCards(let readers): writer.list(readers) { $0.blob($1) }
        case .present(let tokens): writer.list(tokens) { $1.write(to: &$0) }
        case .readers(let report): report.write(to: &writer)
        case .registeredModules(let modules): writer.list(modules) { $1.write(to: &$0) }
        case .signature(let bytes): writer.blob(bytes)
        case .failed(let failure): failure.write(to: &writer)
        }
        return writer.bytes
    }

    package init(kind: UInt8, body: [UInt8]) throws(WireError) {
        var reader = WireReader(body)
        switch kind {
        case 129:
            self = .loaded(
                ModuleReport(
                    manufacturer: try reader.blob(upTo: 64), description: try reader.blob(upTo: 64),
                    version: try reader.text(), usesCardReaders: try reader.flag()))
        case 130:
            self = .tokens(
                try reader.list(smallest: 50) { (reader) throws(WireError) in try TokenSnapshot(from: &reader) })
        case 131: self = .login(try LoginOutcome(from: &reader))
        case 132: self = .loggedOut
        case 133: self = .signature(try reader.blob())
        case 134: self = .failed(try WorkerFailure(from: &reader))
        case 144:
            self = .present(
                try reader.list(smallest: 24) { (reader) throws(WireError) in try TokenReference(from: &reader) })
        case 145: self = .renewed
        case 146: self = .readers(try ReaderReport(from: &reader))
        case 147: self = .reset
        case 148:
            self = .verifiedCards(
                try reader.list(smallest: 4, limit: 64) { (reader) throws(WireError) in try reader.blob(upTo: 64) })
        case 149:
            self = .registeredModules(
                try reader.list(smallest: 13, limit: 1024) { (reader) throws(WireError) in
                    try RegisteredModule(from: &reader)
                })
        default: throw .unknownKind(kind)
        }
        try reader.end()
    }
}

extension LoginOutcome {
    func write(to writer: inout WireWriter) {
        switch self {
        case .loggedIn: writer.byte(1)
        case .notNeeded: writer.byte(2)
        case .refused(let refusal):
            writer.byte(3)
            refusal.write(to: &writer)
        case .rejected(let returnValue, let name, let failed, let oddities):
            writer.byte(4)
            writer.number64(returnValue)
            writer.text(name)
            writer.list(failed.map { [$0] } ?? []) { $1.write(to: &$0) }
            writer.list(oddities) { $0.byte($1.rawValue) }
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .loggedIn
        case 2: self = .notNeeded
        case 3: self = .refused(try LoginRefusal(from: &reader))
        case 4:
            self = .rejected(
                returnValue: try reader.number64(), name: try reader.text(),
                failed: try FailedPIN.list(from: &reader).first,
                oddities: try reader.list(smallest: 1, limit: PINOddity.allCases.count) { (reader) throws(WireError) in
                    guard let oddity = PINOddity(rawValue: try reader.byte()) else { throw .badValue }
                    return oddity
                })
        default: throw .badValue
        }
    }
}

extension LoginRefusal {
    func write(to writer: inout WireWriter) {
        switch self {
        case .locked: writer.byte(1)
        case .finalTry: writer.byte(2)
        case .countLow: writer.byte(3)
        case .toBeChanged: writer.byte(4)
        case .notInitialized: writer.byte(5)
        case .length(let shortest, let longest):
            writer.byte(6)
            writer.number32(shortest)
            writer.number32(longest)
        case .knownWrong: writer.byte(7)
        case .unreadable(let reason):
            writer.byte(8)
            writer.text(reason)
        case .noPinpad: writer.byte(9)
        case .notHeld: writer.byte(10)
        case .reserved: writer.byte(11)
        case .controlByte: writer.byte(12)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .locked
        case 2: self = .finalTry
        case 3: self = .countLow
        case 4: self = .toBeChanged
        case 5: self = .notInitialized
        case 6: self = .length(shortest: try reader.number32(), longest: try reader.number32())
        case 7: self = .knownWrong
        case 8: self = .unreadable(reason: try reader.text())
        case 9: self = .noPinpad
        case 10: self = .notHeld
        case 11: self = .reserved
        case 12: self = .controlByte
        default: throw .badValue
        }
    }
}

extension WorkerFailure {
    func write(to writer: inout WireWriter) {
        writer.byte(kind.rawValue)
        writer.list(returnValue.map { [$0] } ?? []) { $0.number64($1) }
        writer.text(text)
        writer.flag(leavesPINInDoubt)
    }

    init(from reader: inout WireReader) throws(WireError) {
        guard let kind = Kind(rawValue: try reader.byte()) else { throw .badValue }
        self.kind = kind
        returnValue = try reader.list(smallest: 8) { (reader) throws(WireError) in try reader.number64() }.first
        text = try reader.text()
        leavesPINInDoubt = try reader.flag()
    }
}
