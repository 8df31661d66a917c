import PKCS11URI
import PlainText
package import TokenService

/// A token that a person is asked for the PIN of.
package struct PromptedToken: Sendable {
    let key: TokenKey
    let flags: TokenFlags
    /// Its module, as people know it.
    let module: String

    package init(_ key: TokenKey, flags: TokenFlags, module: String) {
        self.key = key
        self.flags = flags
        self.module = module
    }
}

/// The words of a prompt: which token, how many tries are left, the purpose, and the program that asks.
///
/// Text from the token and from other programs is made harmless first: a terminal shows it.
package struct PromptQuestion: Hashable, Sendable {
    package let title = "Tokenward"
    /// Lines, the first of which asks.
    package let description: String
    /// Stands before what is typed.
    package let label: String
    /// How the last PIN failed.
    package let error: String?

    package init(description: String, label: String = "PIN:", error: String?) {
        self.description = description
        self.label = label
        self.error = error
    }

    /// The widest line, in columns: pinentry's windows are as wide as their widest line.
    private static let columns = 70

    /// - Parameter home: The user's home folder, which is shown as `~`.
    init(for asked: PromptedToken, purpose: LoginPurpose, home: String?, after error: String?) {
        let token = asked.key.token
        var lines = [
            "Enter the PIN of token \(PlainText.log(token.displayName, longest: 80))", Self.maker(of: token),
            "Module \(PlainText.prompt(asked.module.utf8))",
        ]
        if asked.flags.contains(.userPINCountLow) {
            lines.append("A wrong PIN was tried on it before: few tries are left.")
        }
        if let (profile, role) = purpose.session {
            lines.append("For profile \(profile)" + (role.map { ", role \($0)" } ?? ""))
        }
        lines.append("Asked by \(Ancestry(of: purpose.asking.processID).describe(home: home))")
        self.init(
            description: brokenLines(lines.joined(separator: "\n"), columns: Self.columns),
            error: error.map { brokenLines($0, columns: Self.columns) })
    }

    /// - Parameter serial: Of the MFA device whose code is asked for.
    init(forCodeOf serial: String, purpose: LoginPurpose, home: String?) {
        var lines = ["Enter the next code of MFA device \(PlainText.log(serial, longest: 256))"]
        if let profile = purpose.session?.profile { lines.append("For profile \(profile)") }
        lines.append("Asked by \(Ancestry(of: purpose.asking.processID).describe(home: home))")
        self.init(
            description: brokenLines(lines.joined(separator: "\n"), columns: Self.columns), label: "Code:", error: nil)
    }

    private static func maker(of token: TokenDescription) -> String {
        let maker = [token.manufacturer, token.model].filter { !$0.isEmpty }.map { PlainText.prompt($0) }
            .joined(separator: " ")
        return "Serial number \(PlainText.prompt(token.serial))\(maker.isEmpty ? "" : ", \(maker)")"
    }
}
