import Encodings
import UTCTime

/// Algorithm, moment and scope of a SigV4-X509 signature.
struct SigningScope: Hashable, Sendable {
    let algorithm: String
    let time: UTCTime
    let region: String

    /// `yyyyMMdd/<region>/rolesanywhere/aws4_request`.
    private var text: String { "\(time.basic.prefix(8))/\(region)/rolesanywhere/aws4_request" }

    func stringToSign(canonicalDigest: [UInt8]) -> String {
        [algorithm, time.basic, text, Hexadecimal.encode(canonicalDigest)].joined(separator: "\n")
    }

    /// - Parameter serial: The certificate's serial number in decimal.
    func authorization(serial: String, signedHeaders: String, signature: [UInt8]) -> String {
        "\(algorithm) Credential=\(serial)/\(text), SignedHeaders=\(signedHeaders), "
            + "Signature=\(Hexadecimal.encode(signature))"
    }
}
