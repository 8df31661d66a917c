import Encodings
package import UTCTime

/// Algorithm, moment and scope of a signature.
package struct SigningScope: Hashable, Sendable {
    package let algorithm: String
    package let time: UTCTime
    package let region: String
    /// Such as `sts`, as the service's signatures name it.
    package let service: String

    package init(algorithm: String, time: UTCTime, region: String, service: String) {
        self.algorithm = algorithm
        self.time = time
        self.region = region
        self.service = service
    }

    /// `yyyyMMdd`, in UTC.
    var day: String { String(time.basic.prefix(8)) }

    /// `yyyyMMdd/REGION/SERVICE/aws4_request`
    private var text: String { "\(day)/\(region)/\(service)/aws4_request" }

    package func stringToSign(canonicalDigest: [UInt8]) -> String {
        [algorithm, time.basic, text, Hexadecimal.encode(canonicalDigest)].joined(separator: "\n")
    }

    /// - Parameter credential: The access key's id, or the certificate's serial number in decimal.
    package func authorization(credential: String, signedHeaders: String, signature: [UInt8]) -> String {
        "\(algorithm) Credential=\(credential)/\(text), SignedHeaders=\(signedHeaders), "
            + "Signature=\(Hexadecimal.encode(signature))"
    }
}
