import Encodings
import JSON
package import LockedMemory

/// How a session's credentials are written for other programs.
package enum ExportFormat: String, CaseIterable, Sendable {
    /// Commands of a POSIX shell, for `eval`.
    case env
    /// What `credential_process` prints.
    case json
    /// A section of `~/.aws/credentials`.
    case ini
    /// `NAME=value` lines, as dotenv's readers, systemd and `docker --env-file` take them.
    case dotenv
    /// Statements of PowerShell, for `Invoke-Expression`.
    case powershell

    /// The whole text, with a line end.
    ///
    /// - Parameters:
    ///   - body: The agent's answer.
    ///   - profile: The name of the section, where the format has one.
    /// - Throws: Exit code 70 for an answer that is not whole, or that the format has no way to write.
    package func text(_ body: Span<UInt8>, profile: ProfileArgument) throws(ClientFailure) -> SecretBuffer {
        let members = try CredentialAnswer.check(body)
        // No quoting makes more than four bytes of one.
        var text = try SecretBuffer.make(capacity: 4 * body.count + 4096, isLocked: true)
        switch self {
        case .json:
            for index in body.indices { try text.append(body[index]) }
            try text.append("\n")
        case .ini:
            try text.append("[")
            for byte in profile.name.utf8 { try text.append(byte) }
            try text.append("]\n")
            fallthrough
        case .env, .dotenv, .powershell:
            for setting in CredentialSetting.all { try append(setting, of: members, in: body, to: &text) }
        }
        return text
    }

    /// A line for the setting, if the answer has it.
    private func append(
        _ setting: CredentialSetting, of members: JSONMembers, in body: Span<UInt8>, to text: inout SecretBuffer
    ) throws(ClientFailure) {
        var isPlain = true
        guard
            try setting.bytes(
                of: members, in: body, { (byte) throws(ClientFailure) in if !byte.isPlain { isPlain = false } })
        else { return }
        switch self {
        case .env:
            try text.append("export ")
            try text.append(setting.variable)
            try text.append("=")
        case .dotenv:
            try text.append(setting.variable)
            try text.append("=")
        case .powershell:
            try text.append("$Env:")
            try text.append(setting.variable)
            try text.append(" = ")
        case .ini, .json:
            try text.append(setting.key)
            try text.append(" = ")
        }
        // Docker takes quotation marks for a part of the value, so dotenv has them only where there is no way without.
        let isQuoted = self == .env || self == .powershell || self == .dotenv && !isPlain
        if isQuoted { try text.append("'") }
        _ = try setting.bytes(of: members, in: body) { (byte) throws(ClientFailure) in
            try append(byte, isQuoted: isQuoted, to: &text)
        }
        try text.append(isQuoted ? "'\n" : "\n")
    }

    private func append(_ byte: UInt8, isQuoted: Bool, to text: inout SecretBuffer) throws(ClientFailure) {
        switch (self, byte) {
        // POSIX.1-2024, Shell Command Language, 2.2.2: nothing is special between single quotes but their end.
        case (.env, UInt8(ascii: "'")): try text.append("'\\''")
        // about_Quoting_Rules: a doubled one stands for one.
        case (.powershell, UInt8(ascii: "'")): try text.append("''")
        case (.dotenv, UInt8(ascii: "'")) where isQuoted: try text.append("\\'")
        case (.dotenv, UInt8(ascii: "\\")) where isQuoted: try text.append("\\\\")
        default: try text.append(byte)
        }
    }
}

extension UInt8 {
    /// Whether all readers of dotenv files take it as it is. The values that AWS makes have no other character.
    fileprivate var isPlain: Bool { isAlphanumeric || "+/=_.:-".utf8.contains(self) }
}
