package import AWSNames
import Encodings

/// The texts of a request, each with the rule of the STS API reference. Lengths are in characters (Unicode scalars).
package enum RequestText: Hashable, Sendable, CaseIterable {
    case roleSessionName, externalID, sourceIdentity, mfaSerial, policy, policyARN, tagKey, tagValue

    /// - Throws: `RequestFault`, whose message begins with the setting's name.
    package func check(_ text: String) throws(RequestFault) {
        guard length.contains(text.unicodeScalars.count), text.unicodeScalars.allSatisfy(isAllowed) else {
            throw RequestFault(message: "\(setting) \(text.inQuotes): give \(form)")
        }
        guard !isReserved(text) else {
            throw RequestFault(message: "\(setting) \(text.inQuotes): names that begin with aws: are AWS' own")
        }
    }

    /// The key of a profile that it stands in.
    package var setting: String {
        switch self {
        case .roleSessionName: "role-session-name"
        case .externalID: "external-id"
        case .sourceIdentity: "source-identity"
        case .mfaSerial: "mfa-serial"
        case .policy: "policy"
        case .policyARN: "policy-arns"
        case .tagKey, .tagValue: "tags"
        }
    }

    private var length: ClosedRange<Int> {
        switch self {
        case .roleSessionName, .sourceIdentity: 2...64
        case .externalID: 2...1224
        case .mfaSerial: 9...256
        // AWS counts the packed size, which is not known here; this keeps a request within bounds.
        case .policy: 1...16_384
        case .policyARN: 20...2048
        case .tagKey: 1...128
        case .tagValue: 0...256
        }
    }

    private var form: String {
        switch self {
        case .roleSessionName, .sourceIdentity: "2 to 64 letters, digits or _+=,.@-"
        case .externalID: "2 to 1224 letters, digits or _+=,.@:/-"
        case .mfaSerial: "the device's ARN, or 9 to 256 letters, digits or _+=/:,.@-"
        case .policy: "1 to 16384 characters from space to ÿ, tabs or line ends"
        case .policyARN: "arn:PARTITION:iam::ACCOUNT:policy/NAME"
        case .tagKey: "keys of 1 to 128 letters, digits, spaces or _.:/=+-@"
        case .tagValue: "values of at most 256 letters, digits, spaces or _.:/=+-@"
        }
    }

    private func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch self {
        case .roleSessionName, .sourceIdentity: isWord(scalar, or: "_+=,.@-")
        case .externalID, .mfaSerial: isWord(scalar, or: "_+=,.@:/-")
        case .policy: (0x20...0xFF).contains(scalar.value) || "\t\n\r".unicodeScalars.contains(scalar)
        case .policyARN: (0x21...0x7E).contains(scalar.value)
        case .tagKey, .tagValue: Self.isTagCharacter(scalar)
        }
    }

    /// `[\p{L}\p{Z}\p{N}_.:/=+\-@]`
    private static func isTagCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .spaceSeparator,
            .lineSeparator, .paragraphSeparator, .decimalNumber, .letterNumber, .otherNumber:
            true
        default: "_.:/=+-@".unicodeScalars.contains(scalar)
        }
    }

    private func isReserved(_ text: String) -> Bool { self == .tagKey && text.lowercased().hasPrefix("aws:") }
}

/// Whether it is a letter or a digit of ASCII, or one of some others.
private func isWord(_ scalar: Unicode.Scalar, or others: String) -> Bool {
    guard let byte = UInt8(exactly: scalar.value) else { return false }
    return byte.isAlphanumeric || others.utf8.contains(byte)
}
