package import AWSNames
import Encodings

/// The certificate whose key signs a request, with the certificates to send beside it.
package struct SigningCertificate: Hashable, Sendable {
    package enum KeyKind: Hashable, Sendable {
        /// PKCS #1 v1.5 with SHA-256.
        case rsa
        /// ECDSA with SHA-256 whatever the curve; the signature is a DER `Ecdsa-Sig-Value`.
        case ec

        var algorithm: String {
            switch self {
            case .rsa: "AWS4-X509-RSA-SHA256"
            case .ec: "AWS4-X509-ECDSA-SHA256"
            }
        }
    }

    package let der: [UInt8]
    /// In decimal, without leading zeros.
    package let serial: String
    package let keyKind: KeyKind
    /// Intermediate certificates in DER, the leaf's issuer first; without the leaf.
    package let chain: [[UInt8]]

    /// - Parameter serial: In decimal. A serial number has at most 20 bytes (RFC 5280 §4.1.2.2), 49 digits.
    /// - Throws: `RequestFault` for more than five chain certificates, the leaf among them, a certificate
    ///   of more than 16 KiB or of none, and a serial that is not decimal.
    package init(
        der: [UInt8], serial: String, keyKind: KeyKind, chain: [[UInt8]] = []
    ) throws(RequestFault) {
        guard serial.utf8.count <= 64 else {
            throw RequestFault(
                message:
                    "the certificate's serial number has \(serial.utf8.count) digits, the 20 bytes of RFC 5280 make 49")
        }
        guard !serial.isEmpty, serial.utf8.allSatisfy(\.isDigit), serial == "0" || !serial.hasPrefix("0") else {
            throw RequestFault(
                message: "certificate serial \(serial.inQuotes) is not a decimal number")
        }
        guard chain.count <= 5 else {
            throw RequestFault(
                message: "the chain has \(chain.count) certificates, the service takes 5: leave out the root")
        }
        guard ([der] + chain).allSatisfy({ (1...16_384).contains($0.count) }) else {
            throw RequestFault(message: "a certificate to be sent has no bytes or more than 16 KiB")
        }
        guard !chain.contains(der) else {
            throw RequestFault(message: "the chain holds the signing certificate itself: leave it out")
        }
        (self.der, self.serial, self.keyKind, self.chain) = (der, serial, keyKind, chain)
    }
}
