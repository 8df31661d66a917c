/// How often cards have gone, by the reader that they were in.
///
/// pcscd's own count begins again with each reader, and a USB token is a reader and its card in one: pulled and put back
/// it looks as before. Who sees the one report and misses the next must be able to tell.
package struct CardRemovals: Sendable {
    private var last: [CardReader] = []
    private var counts: [String: UInt32] = [:]

    /// Names come from devices.
    private static let most = 1024

    package init() {}

    /// Takes in what is there now.
    package mutating func note(_ readers: [CardReader]) {
        if counts.count > Self.most { counts = [:] }
        for reader in last where reader.card != .absent {
            let stays = readers.contains { $0.name == reader.name && $0.events == reader.events && $0.card != .absent }
            if !stays { counts[reader.name, default: 0] &+= 1 }
        }
        last = readers
    }

    /// These readers with their counts.
    package func counted(_ readers: [CardReader]) -> [CardReader] {
        readers.map { reader in
            var reader = reader
            reader.removals = counts[reader.name] ?? 0
            return reader
        }
    }
}
