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

extension ServiceFailure: WireValue {}
extension CardReader.Card: WireValue {}

extension ReaderReport: WireValue {
    package func write(to writer: inout WireWriter) {
        writer.add(version)
        switch service {
        case .reachable(let connection): writer.add(0 as UInt8, connection)
        case .unreachable(let failure): writer.add(failure)
        }
        writer.add(readers)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        version = try reader.value()
        let code: UInt8 = try reader.value()
        if code == 0 {
            service = .reachable(connection: try reader.value())
        } else {
            guard let failure = ServiceFailure(rawValue: code) else { throw .badValue }
            service = .unreachable(failure)
        }
        readers = try reader.list(upTo: 64)
    }
}

extension CardReader: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(name, card, events, removals, isExclusive, holders) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            name: try reader.value(), card: try reader.value(), events: try reader.value(),
            removals: try reader.value(), isExclusive: try reader.value(), holders: try reader.list(upTo: 64))
    }
}
