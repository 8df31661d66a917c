import Encodings

/// An Amazon Resource Name: `arn:partition:service:region:account:resource`.
///
/// Partitions that we have never heard of are accepted: AWS adds some, and the endpoint can be given by hand.
package struct ARN: Hashable, Sendable, CustomStringConvertible {
    /// Such as `aws`, `aws-cn`, `aws-us-gov`.
    package let partition: String
    package let service: String
    /// Empty for services without regions, IAM among them.
    package let region: String
    /// Twelve digits; empty, or `aws`, for some services.
    package let account: String
    /// All that follows the fifth colon, colons included.
    package let resource: String

    /// Reads any ARN.
    ///
    /// - Throws: `RequestFault` if a part is missing, has characters that it cannot have, or the whole is longer than the
    ///   1011 bytes that Roles Anywhere takes.
    package init(_ text: String) throws(RequestFault) {
        guard text.utf8.count <= 1011 else { throw RequestFault(message: "an ARN has at most 1011 bytes") }
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[0] == "arn" else {
            throw RequestFault(
                message: "\(text.inQuotes) is not an ARN: "
                    + "write arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE")
        }
        let fault: String? =
            if !Self.isLabel(parts[1]) || !parts[1].hasPrefix("aws") {
                "partition"
            } else if !Self.isLabel(parts[2]) {
                "service"
            } else if !parts[3].isEmpty, !Self.isLabel(parts[3]) {
                "region"
            } else if !Self.isAccount(parts[4]), !parts[4].isEmpty, parts[4] != "aws" {
                "account (twelve digits)"
            } else if parts[5].isEmpty || !parts[5].utf8.allSatisfy(\.isVisible) {
                "resource"
            } else {
                nil
            }
        if let fault { throw RequestFault(message: "the \(fault) of ARN \(text.inQuotes) is not valid") }
        (partition, service, region, account, resource) = (parts[1], parts[2], parts[3], parts[4], parts[5])
    }

    package var description: String { "arn:\(partition):\(service):\(region):\(account):\(resource)" }

    /// Lower-case letters, digits and dashes, as DNS labels are: the region becomes part of a host name.
    package static func isLabel(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.last != UInt8(ascii: "-")
            && text.utf8.allSatisfy { $0.isLowercase || $0.isDigit || $0 == UInt8(ascii: "-") }
    }

    package static func isAccount(_ text: String) -> Bool { text.utf8.count == 12 && text.utf8.allSatisfy(\.isDigit) }
}

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
    /// - Throws: `RequestFault` if `text` is no ARN, or one of something else.
    package init(_ text: String, as kind: Kind) throws(RequestFault) {
        try self.init(text)
        guard isOf(kind) else {
            throw RequestFault(message: "\(text.inQuotes) is not \(kind.form)")
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

extension ARN {
    /// Whether it names a session of a role: `assumed-role/NAME/SESSION`, in the role's partition and account. The role's
    /// path is not part of it.
    ///
    /// - Parameter name: The session's name; nil for any.
    package func isSession(of role: ARN, named name: String? = nil) -> Bool {
        let parts = resource.split(separator: "/", omittingEmptySubsequences: false)
        return service == "sts" && partition == role.partition && account == role.account && parts.count == 3
            && parts[0] == "assumed-role" && parts[1] == role.resource.split(separator: "/").last
            && (name == nil || parts[2] == name ?? "")
    }
}

extension ARN.Kind {
    /// What it is, and how it is written.
    fileprivate var form: String {
        switch self {
        case .trustAnchor: "a trust anchor ARN: write arn:PARTITION:rolesanywhere:REGION:ACCOUNT:trust-anchor/UUID"
        case .profile: "a Roles Anywhere profile ARN: write arn:PARTITION:rolesanywhere:REGION:ACCOUNT:profile/UUID"
        case .role: "a role ARN: write arn:PARTITION:iam::ACCOUNT:role/NAME"
        }
    }
}

extension UInt8 {
    /// `[\w+=,.@-]`: role names and role session names (IAM and STS API references).
    package var isIAMNameCharacter: Bool { isAlphanumeric || "_+=,.@-".utf8.contains(self) }
}
