#if !hasFeature(Embedded)
    import JSON
#endif

/// The JSON that `credential_process` promises to an AWS SDK.
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
package enum CredentialAnswer {
    /// Checks that an SDK can use `body`, so that nothing incomplete is ever handed out.
    package static func check(_ body: Span<UInt8>) throws(ClientFailure) {
        let members: JSONMembers
        do throws(JSONFault) {
            members = try JSONMembers(body)
        } catch {
            throw .badAnswer("credentials that are no JSON, at byte \(error.offset)")
        }
        guard holdsVersion(members, body), holdsText("AccessKeyId", members, body),
            holdsText("SecretAccessKey", members, body), holdsText("SessionToken", members, body),
            holdsText("Expiration", members, body)
        else { throw .badAnswer("incomplete credentials") }
    }

    private static func holdsVersion(_ members: JSONMembers, _ body: Span<UInt8>) -> Bool {
        guard case .number(let range)? = members.value("Version", in: body) else { return false }
        return range.count == 1 && body[range.lowerBound] == UInt8(ascii: "1")
    }

    private static func holdsText(_ name: StaticString, _ members: JSONMembers, _ body: Span<UInt8>) -> Bool {
        guard case .string(let range)? = members.value(name, in: body) else { return false }
        return !range.isEmpty
    }
}
