import PKCS11URI

/// The token that a PIN, a refusal and a lock belong to: the module that shows it and all that it says of itself. Slot
/// numbers are no part of it.
struct TokenKey: Hashable, Sendable {
    var module: String
    var token: TokenDescription
}

extension TokenKey {
    /// What names it in a line of a runtime file: module, label, manufacturer, model and serial.
    static let fieldCount = 5

    var fields: [[UInt8]] { [Array(module.utf8), token.label, token.manufacturer, token.model, token.serial] }

    /// - Parameter fields: As many as `fieldCount`, or more.
    init?(fields: some Collection<[UInt8]>) {
        let fields = Array(fields.prefix(Self.fieldCount))
        guard fields.count == Self.fieldCount else { return nil }
        self.init(
            module: String(decoding: fields[0], as: UTF8.self),
            token: TokenDescription(label: fields[1], manufacturer: fields[2], model: fields[3], serial: fields[4]))
    }
}
