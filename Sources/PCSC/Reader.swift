import CPCSCLite
package import TokenService

/// A reader as pcscd has it at one moment.
package struct Reader: Hashable, Sendable {
    /// As pcscd spells it, which need not be UTF-8.
    package let name: [UInt8]
    /// The SCARD_STATE flags, with the count of insertions and removals in the upper half.
    let state: UInt32

    package init(name: [UInt8], state: UInt32) {
        self.name = name
        self.state = state
    }

    package var card: CardReader.Card {
        if has(SCARD_STATE_UNAVAILABLE) || has(SCARD_STATE_UNKNOWN) { return .unavailable }
        guard has(SCARD_STATE_PRESENT) else { return .absent }
        return has(SCARD_STATE_MUTE) ? .mute : .present
    }

    /// How often a card has come or gone, modulo 65,536: what tells a card that was away from one that stayed.
    package var events: UInt16 { UInt16(state >> 16) }

    /// A program holds the card exclusively (SCARD_SHARE_EXCLUSIVE).
    package var isExclusive: Bool { has(SCARD_STATE_EXCLUSIVE) }

    /// The state that a wait starts from. Without SCARD_STATE_INUSE, so that the wait does not end each time that a
    /// program opens or closes the card.
    var known: UInt32 { state & ~UInt32(SCARD_STATE_CHANGED | SCARD_STATE_INUSE) }

    private func has(_ flag: Int32) -> Bool { state & UInt32(flag) != 0 }
}
