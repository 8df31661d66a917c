/// Algorithm, moment and scope of a SigV4-X509 signature.
struct SigningScope: Hashable, Sendable {
    let algorithm: String
    let time: CivilTime
    let region: String

    /// `yyyyMMdd/<region>/rolesanywhere/aws4_request`.
    private var text: String { "\(time.basicDate)/\(region)/rolesanywhere/aws4_request" }

    func stringToSign(canonicalDigest: [UInt8]) -> String {
        [algorithm, time.basicDateTime, text, Hexadecimal.encode(canonicalDigest)].joined(separator: "\n")
    }

    /// - Parameter serial: The certificate's serial number in decimal.
    func authorization(serial: String, signedHeaders: String, signature: [UInt8]) -> String {
        "\(algorithm) Credential=\(serial)/\(text), SignedHeaders=\(signedHeaders), "
            + "Signature=\(Hexadecimal.encode(signature))"
    }
}
