package import LockedMemory

/// A PIN that several owners keep alive, such as a queue and the thread it feeds; wiped when the last one lets go.
package final class HeldPIN: Sendable {
    package let pin: PIN
    /// It was typed at a login of the workstation's, not for this token: it may be something else.
    package let isFromLogin: Bool

    package init(_ pin: consuming PIN, isFromLogin: Bool = false) {
        self.pin = pin
        self.isFromLogin = isFromLogin
    }
}
