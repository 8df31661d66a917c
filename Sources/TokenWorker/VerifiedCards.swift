import Glibc
import PKCS11
import PKCS11URI

/// The cards that have taken a PIN from this process, and the slots that they are in.
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

    /// - Parameter slot: Where the token is. A slot that cannot be described has no reader to reset.
    mutating func add(_ token: TokenDescription, in slot: Slot) {
        slots[token] = (try? slot.description())?.description
    }

    /// Forgets those that are gone, and have lost their power with that.
    mutating func keep(only present: Set<TokenDescription>) {
        slots = slots.filter { present.contains($0.key) }
    }

    /// Resets one card, or all. Another program that is at work on one finishes that first.
    mutating func reset(_ token: TokenDescription?) {
        let meant = slots.filter { token == nil || $0.key == token }
        guard !meant.isEmpty, let service = CardReset() else { return }
        for (card, slot) in meant {
            let code = service.reset(slotDescription: slot)
            slots[card] = nil  // not before: the call may take its time, and this process end in it
            guard code != 0 else { continue }
            let text = Array(
                "the card could not be reset, and may still be logged in: 0x\(String(code, radix: 16))\n".utf8)
            _ = unsafe write(STDERR_FILENO, text, text.count)  // the agent logs what a worker writes
        }
    }
}
