import Encodings
import ModuleFiles
import PKCS11URI
import TokenService

/// A line of a runtime file: a token's names (module, label, manufacturer, model, serial) and perhaps more byte strings, in
/// hexadecimal, with a blank between two of them.
struct TokenLine {
    let key: TokenKey
    var more: [[UInt8]] = []

    init(_ key: TokenKey, _ more: [[UInt8]] = []) {
        self.key = key
        self.more = more
    }

    /// - Parameter line: Without its end.
    init?(_ line: ArraySlice<UInt8>) {
        let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map {
            Hexadecimal.decode($0)
        }
        let names = fields.compactMap(\.self)
        guard names.count == fields.count, names.count >= 5 else { return nil }
        self.init(
            TokenKey(
                module: ModuleIdentity(path: String(decoding: names[0], as: UTF8.self)),
                token: TokenDescription(label: names[1], manufacturer: names[2], model: names[3], serial: names[4])),
            Array(names.dropFirst(5)))
    }

    /// With its end.
    var bytes: [UInt8] {
        let token = key.token
        let fields =
            [Array(key.module.path.utf8), token.label, token.manufacturer, token.model, token.serial] + more
        return Array(fields.map { Hexadecimal.encode($0) }.joined(separator: " ").utf8) + [UInt8(ascii: "\n")]
    }
}
