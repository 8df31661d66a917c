import PKCS11URI

/// The cards that have taken a PIN from this process, and the readers that they are in.
///
/// C_Logout is not the end of it: OpenSC 0.23 forgets the login and leaves the card as it is, and a card knows that its
/// PIN was right as long as any program has it connected. Whoever comes next could sign. So the card is reset as well.
struct VerifiedCards {
    private var slots: [TokenDescription: [UInt8]] = [:] {
        didSet { if slots != oldValue { tell(Array(Set(slots.values))) } }
    }
    private let tell: @Sendable ([[UInt8]]) -> Void

    /// - Parameter tell: Is called with the readers that are meant, after each change: who kills this process resets their
    ///   cards in its stead.
    init(tell: @escaping @Sendable ([[UInt8]]) -> Void) { self.tell = tell }

    /// - Parameter slot: The description of the token's slot, which is its reader's name.
    mutating func add(_ token: TokenDescription, in slot: [UInt8]) { slots[token] = slot }

    /// Forgets those that are gone, and have lost their power with that.
    mutating func keep(only present: Set<TokenDescription>) { slots = slots.filter { present.contains($0.key) } }

    /// This card, or all, with their slots' descriptions.
    func cards(of token: TokenDescription?) -> [TokenDescription: [UInt8]] {
        slots.filter { token == nil || $0.key == token }
    }

    /// The card has been reset, or cannot be.
    mutating func remove(_ token: TokenDescription) { slots[token] = nil }
}
