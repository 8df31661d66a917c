import Encodings

extension ARN {
    /// The resources that a session is made of.
    package enum Kind: Hashable, Sendable, CaseIterable {
        case trustAnchor
        case profile
        case role
    }

    /// Reads an ARN that must name a resource of one kind.
    ///
    /// Trust anchors and profiles may be named by their id (a UUID) or by an alias such as
    /// `alias/trust-anchor/production-ca` (IAM Roles Anywhere user guide, "Resource aliases").
    ///
    /// - Throws: `ARNError` if `text` is no ARN, or one of something else.
    package init(_ text: String, as kind: Kind) throws(ARNError) {
        try self.init(text)
        guard isOf(kind) else {
            throw ARNError(message: "\(text.inQuotes) is not \(kind.noun): write \(kind.form)")
        }
    }

    private func isOf(_ kind: Kind) -> Bool {
        guard Self.isAccount(account) else { return false }
        switch kind {
        case .trustAnchor: return isRolesAnywhere("trust-anchor")
        case .profile: return isRolesAnywhere("profile")
        case .role: return service == "iam" && region.isEmpty && Self.isRole(resource)
        }
    }

    private func isRolesAnywhere(_ type: String) -> Bool {
        guard service == "rolesanywhere", !region.isEmpty else { return false }
        if resource.hasPrefix("alias/\(type)/") {
            return Self.isAlias(resource.utf8.dropFirst("alias/\(type)/".utf8.count))
        }
        return resource.hasPrefix("\(type)/") && Self.isUUID(resource.utf8.dropFirst(type.utf8.count + 1))
    }

    /// 8-4-4-4-12 hexadecimal digits.
    private static func isUUID(_ text: Substring.UTF8View) -> Bool {
        text.count == 36
            && text.enumerated().allSatisfy { index, byte in
                [8, 13, 18, 23].contains(index) ? byte == UInt8(ascii: "-") : byte.hexadecimalDigit != nil
            }
    }

    /// 1 to 256 letters, digits, `_`, `-`, after a first letter; `/` only between two of them.
    private static func isAlias(_ text: Substring.UTF8View) -> Bool {
        let slash = UInt8(ascii: "/")
        guard (1...256).contains(text.count), let first = text.first, first.isUppercase || first.isLowercase,
            text.last != slash
        else { return false }
        return text.allSatisfy { $0.isAlphanumeric || "_-/".utf8.contains($0) }
            && zip(text, text.dropFirst()).allSatisfy { $0 != slash || $1 != slash }
    }

    /// `role/name` or `role/path/name` (IAM user guide, "IAM identifiers").
    private static func isRole(_ resource: String) -> Bool {
        guard resource.hasPrefix("role/") else { return false }
        let segments = resource.utf8.dropFirst(5).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let name = segments.last, (1...64).contains(name.count), name.allSatisfy(\.isIAMNameCharacter) else {
            return false
        }
        let pathLength = resource.utf8.count - name.count - "role".utf8.count
        return pathLength <= 512 && segments.allSatisfy { !$0.isEmpty }
    }
}

extension ARN.Kind {
    fileprivate var noun: String {
        switch self {
        case .trustAnchor: "a trust anchor ARN"
        case .profile: "a Roles Anywhere profile ARN"
        case .role: "a role ARN"
        }
    }

    fileprivate var form: String {
        switch self {
        case .trustAnchor: "arn:PARTITION:rolesanywhere:REGION:ACCOUNT:trust-anchor/UUID"
        case .profile: "arn:PARTITION:rolesanywhere:REGION:ACCOUNT:profile/UUID"
        case .role: "arn:PARTITION:iam::ACCOUNT:role/NAME"
        }
    }
}

extension UInt8 {
    /// `[\w+=,.@-]`: role names and role session names (IAM and STS API references).
    package var isIAMNameCharacter: Bool { isAlphanumeric || "_+=,.@-".utf8.contains(self) }
}
