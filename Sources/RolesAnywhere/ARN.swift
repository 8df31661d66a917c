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
    /// - Throws: `ARNError` if a part is missing, has characters that it cannot have, or the whole is longer than the
    ///   1011 bytes that Roles Anywhere takes.
    package init(_ text: String) throws(ARNError) {
        guard text.utf8.count <= 1011 else { throw ARNError(message: "an ARN has at most 1011 bytes") }
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[0] == "arn" else {
            throw ARNError(
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
        if let fault { throw ARNError(message: "the \(fault) of ARN \(text.inQuotes) is not valid") }
        (partition, service, region, account, resource) = (parts[1], parts[2], parts[3], parts[4], parts[5])
    }

    package var description: String { "arn:\(partition):\(service):\(region):\(account):\(resource)" }

    /// Lower-case letters, digits and dashes, as DNS labels are: the region becomes part of a host name.
    static func isLabel(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.last != UInt8(ascii: "-")
            && text.utf8.allSatisfy { $0.isLowercase || $0.isDigit || $0 == UInt8(ascii: "-") }
    }

    static func isAccount(_ text: String) -> Bool { text.utf8.count == 12 && text.utf8.allSatisfy(\.isDigit) }
}

/// Why a text is not the ARN that was asked for.
package struct ARNError: Error, Hashable, Sendable {
    /// One line that quotes the text and shows the expected form.
    package var message: String
}
