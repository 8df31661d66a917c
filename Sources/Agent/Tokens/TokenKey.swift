import ModuleFiles
import PKCS11URI

/// The token that a PIN, a refusal and a lock belong to: the module that shows it and all that it says of itself. Slot
/// numbers are no part of it.
struct TokenKey: Hashable, Sendable {
    var module: ModuleIdentity
    var token: TokenDescription
}

extension TokenKey {
    /// The same without the module's settings, which are in no file: what is written for a token holds for every module of
    /// the library that shows one like it.
    var written: TokenKey { TokenKey(module: ModuleIdentity(path: module.path), token: token) }

    /// What names it in a line of a runtime file: module, label, manufacturer, model and serial.
    static let fieldCount = 5

    var fields: [[UInt8]] { [Array(module.path.utf8), token.label, token.manufacturer, token.model, token.serial] }

    /// - Parameter fields: As many as `fieldCount`, or more.
    init?(fields: some Collection<[UInt8]>) {
        let fields = Array(fields.prefix(Self.fieldCount))
        guard fields.count == Self.fieldCount else { return nil }
        self.init(
            module: ModuleIdentity(path: String(decoding: fields[0], as: UTF8.self)),
            token: TokenDescription(label: fields[1], manufacturer: fields[2], model: fields[3], serial: fields[4]))
    }
}
