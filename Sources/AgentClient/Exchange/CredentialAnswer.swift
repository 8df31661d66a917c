#if !hasFeature(Embedded)
    import Encodings
    package import JSON
#endif

/// The JSON that `credential_process` promises to an AWS SDK.
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
package enum CredentialAnswer {
    /// Checks that an SDK can use `body`, so that nothing incomplete is ever handed out; returns its members.
    package static func check(_ body: Span<UInt8>) throws(ClientFailure) -> JSONMembers {
        let members: JSONMembers
        do throws(JSONFault) {
            members = try JSONMembers(body)
        } catch {
            throw .badAnswer("credentials that are no JSON, at byte \(error.offset)")
        }
        let incomplete = ClientFailure.badAnswer("incomplete credentials")
        guard case .number(let version)? = members.value("Version", in: body),
            body.extracting(version).isEqual(to: "1")
        else { throw incomplete }
        for name in ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"] as [StaticString] {
            guard case .string(let text)? = members.value(name, in: body), !text.isEmpty else { throw incomplete }
        }
        return members
    }
}
