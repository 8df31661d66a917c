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

    /// The PIN that came as a frame's secret.
    convenience init(_ secret: HeldSecret) throws(PINError) {
        self.init(
            try unsafe PIN(mayHoldControlBytes: true) { (page) throws(PINError) in
                guard secret.count <= page.count else { throw .tooLong }
                secret.withBytes { bytes in
                    unsafe bytes.withUnsafeBytes { unsafe page.copyMemory(from: $0) }
                }
                return secret.count
            })
    }
}
