import PKCS11URI
import TokenService

/// The words that a person is asked for a PIN with: which token, how many tries, for what, and who wants it.
///
/// What comes from the token or from other programs is made harmless first: a terminal shows it.
struct PromptQuestion: Hashable, Sendable {
    let title = "Tokenward"
    /// Lines, the first of which asks.
    let description: String
    /// What became of the PIN before.
    let error: String?

    init(description: String, error: String?) {
        self.description = description
        self.error = error
    }

    /// The widest line, in columns: pinentry's windows are as wide as their widest line.
    private static let columns = 70

    /// - Parameter home: The user's home folder, which is shown as `~`.
    init(for found: FoundToken, purpose: LoginPurpose, home: String?, after error: String?) {
        let token = found.snapshot
        var lines = [
            "Enter the PIN of token \(token.token.displayName.printable(limit: 80))", Self.maker(of: token.token),
            "Module \(Self.plain(Array(found.shownModule.utf8)))",
        ]
        if token.flags.contains(.userPINCountLow) {
            lines.append("A wrong PIN was tried on it before: few tries are left.")
        }
        if let (profile, role) = purpose.session { lines.append("For profile \(profile), role \(role)") }
        lines.append("Asked by \(Ancestry(of: purpose.asking.processID).describe(home: home))")
        self.init(
            description: brokenLines(lines.joined(separator: "\n"), columns: Self.columns),
            error: error.map { brokenLines($0, columns: Self.columns) })
    }

    private static func maker(of token: TokenDescription) -> String {
        let maker = [plain(token.manufacturer), plain(token.model)].filter { !$0.isEmpty }.joined(separator: " ")
        return "Serial number \(plain(token.serial))\(maker.isEmpty ? "" : ", \(maker)")"
    }

    private static func plain(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.map { 0x20...0x7E ~= $0 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
