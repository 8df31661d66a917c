/// What pcscd's watcher knows at one moment: the readers and their cards, or why nobody can know.
package struct ReaderReport: Hashable, Sendable {
    package enum Service: Hashable, Sendable {
        /// pcscd answers. The number differs after each loss of the connection: what had one before is to be made anew.
        case reachable(connection: UInt32)
        case unreachable(ServiceFailure)
    }

    /// Another one after each change; 0 is no report.
    package var version: UInt64
    package var service: Service
    package var readers: [CardReader]

    package init(version: UInt64, service: Service, readers: [CardReader]) {
        self.version = version
        self.service = service
        self.readers = readers
    }
}

/// Why pcscd cannot be used.
package enum ServiceFailure: UInt8, Hashable, Sendable {
    /// It has no socket.
    case notRunning = 1
    /// Its socket has nobody behind it.
    case stopped = 2
    /// The socket's mode keeps this user out.
    case forbidden = 3
    /// It ends the connection at once: polkit says no.
    case refused = 4
    /// It takes the connection and does not answer.
    case silent = 5
}

/// A card reader, as far as it can be seen without a touch of its card.
package struct CardReader: Hashable, Sendable {
    package enum Card: UInt8, Hashable, Sendable {
        case absent = 1, present = 2
        /// It does not answer.
        case mute = 3
        /// The reader does not say.
        case unavailable = 4
    }

    package var name: String
    package var card: Card
    /// How often a card has come or gone, modulo 65,536.
    package var events: UInt16
    /// How often a card has gone from here since the watcher began, also together with the reader.
    package var removals: UInt32
    /// Somebody has the card to themselves.
    package var isExclusive: Bool
    /// The programs that may be those, with their process numbers; only in a report that was asked for at once.
    package var holders: [String]

    package init(
        name: String, card: Card, events: UInt16, removals: UInt32 = 0, isExclusive: Bool, holders: [String] = []
    ) {
        self.removals = removals
        self.name = name
        self.card = card
        self.events = events
        self.isExclusive = isExclusive
        self.holders = holders
    }
}

extension ReaderReport {
    func write(to writer: inout WireWriter) {
        writer.number64(version)
        switch service {
        case .reachable(let connection):
            writer.byte(0)
            writer.number32(connection)
        case .unreachable(let failure): writer.byte(failure.rawValue)
        }
        writer.list(readers) { writer, reader in
            writer.text(reader.name)
            writer.byte(reader.card.rawValue)
            writer.number16(reader.events)
            writer.number32(reader.removals)
            writer.flag(reader.isExclusive)
            writer.list(reader.holders) { $0.text($1) }
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        version = try reader.number64()
        let code = try reader.byte()
        if code == 0 {
            service = .reachable(connection: try reader.number32())
        } else {
            guard let failure = ServiceFailure(rawValue: code) else { throw .badValue }
            service = .unreachable(failure)
        }
        readers = try reader.list(smallest: 16, limit: 64) { (reader) throws(WireError) in
            let name = try reader.text()
            guard let card = CardReader.Card(rawValue: try reader.byte()) else { throw .badValue }
            return CardReader(
                name: name, card: card, events: try reader.number16(), removals: try reader.number32(),
                isExclusive: try reader.flag(),
                holders: try reader.list(smallest: 4, limit: 64) { (reader) throws(WireError) in try reader.text() })
        }
    }
}
