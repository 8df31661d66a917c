/// A PIN that several owners keep alive, such as a queue and the thread it feeds; wiped when the last one lets go.
package final class HeldPIN: Sendable {
    package let pin: PIN

    package init(_ pin: consuming PIN) { self.pin = pin }

    /// Nil where there is no PIN.
    package convenience init?(_ pin: consuming PIN?) {
        switch consume pin {
        case .some(let pin): self.init(pin)
        case nil: return nil
        }
    }
}
