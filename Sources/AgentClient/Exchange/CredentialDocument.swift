/// The JSON that `credential_process` promises to an AWS SDK.
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
package enum CredentialDocument {
    /// Checks that an SDK can use `body`, so that nothing incomplete is ever handed out.
    package static func check(_ body: Span<UInt8>) throws(ClientFailure) {
        let isComplete: Bool
        do throws(JSONFault) {
            isComplete = try holdsEverything(body)
        } catch {
            throw .badAnswer("credentials that are no JSON, at byte \(error.offset)")
        }
        guard isComplete else { throw .badAnswer("incomplete credentials") }
    }

    private static func holdsEverything(_ body: Span<UInt8>) throws(JSONFault) -> Bool {
        guard let version = try JSONScanner.member("Version", of: body), version.count == 1,
            body[version.lowerBound] == UInt8(ascii: "1")
        else { return false }
        guard try holdsText("AccessKeyId", body), try holdsText("SecretAccessKey", body) else { return false }
        guard try holdsText("SessionToken", body) else { return false }
        return try holdsText("Expiration", body)
    }

    private static func holdsText(_ name: StaticString, _ body: Span<UInt8>) throws(JSONFault) -> Bool {
        guard let range = try JSONScanner.member(name, of: body) else { return false }
        return range.count > 2 && body[range.lowerBound] == UInt8(ascii: "\"")
    }
}
