/// Why bytes are no certificate that we can read.
package enum CertificateError: Error, Hashable, Sendable {
    case empty
    case tooLarge(bytes: Int)
    /// It starts as gzip does. PIV keeps certificates so (SP 800-73-4 part 1, appendix A), and a module should unpack them.
    case compressed
    /// It starts as PEM does, where DER is needed.
    case pemText
    /// The outer tag is no SEQUENCE, or its length is not definite and minimal.
    case notASequence
    case truncated(bytes: Int, expected: Int)
    /// More than zero padding follows the certificate.
    case trailingBytes(count: Int)
    /// The structure is not a certificate's; `reason` is OpenSSL's.
    case malformed(reason: String)
    case malformedExtension
    case malformedDate
    case malformedVersion
    case serialTooLong(bytes: Int)
    /// libcrypto cannot read any certificate in this process.
    case algorithmMissing(String)

    package var message: String {
        switch self {
        case .empty: "the certificate is empty, or has more than \(Certificate.maximumSize) bytes"
        case .tooLarge(let bytes): "the certificate has \(bytes) bytes, more than \(Certificate.maximumSize)"
        case .compressed: "the certificate is compressed with gzip, and the PKCS#11 module did not unpack it"
        case .pemText: "the certificate is PEM text where DER is needed"
        case .notASequence: "the certificate is not DER: it does not start with a SEQUENCE"
        case .truncated(let bytes, let expected): "the certificate ends after \(bytes) of \(expected) bytes"
        case .trailingBytes(let count): "\(count) bytes that are not zero follow the certificate"
        case .malformed(let reason): "the certificate is malformed (OpenSSL: \(reason))"
        case .malformedExtension: "the certificate has an extension that is malformed"
        case .malformedDate: "the certificate has a date that is malformed"
        case .malformedVersion: "the certificate has a version other than 1, 2 and 3"
        case .serialTooLong(let bytes):
            "the certificate's serial number has \(bytes) bytes, more than \(Certificate.maximumSerialSize)"
        case .algorithmMissing(let name):
            "OpenSSL does not offer \(name) to this process, so no certificate can be read: see what providers and "
                + "properties its openssl.cnf asks for"
        }
    }
}
