import TokenService

/// The difference between two reports.
struct ReaderChange: Hashable, Sendable {
    /// pcscd has stopped, or come back: programs that were connected to it have to begin again.
    var isNewService = false
    /// A card has left its reader, and perhaps come back since.
    var hasLostCard = false
    /// A card has stayed where it was.
    var keepsCard = false

    /// - Parameter old: Nil where nothing was known.
    init(from old: ReaderReport?, to new: ReaderReport) {
        guard let old else { return }
        isNewService = old.service != new.service
        for reader in old.readers where reader.card != .absent {
            let isSame = new.readers.contains {
                // A watcher that was started anew has counted no removals yet.
                $0.name == reader.name && $0.events == reader.events && $0.removals <= reader.removals
                    && $0.card != .absent
            }
            if isSame { keepsCard = true } else { hasLostCard = true }
        }
    }
}
