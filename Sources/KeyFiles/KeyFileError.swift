import PlainText
package import X509

/// Why a file gives no private key that can be brought to a token.
package enum KeyFileError: Error, Hashable, Sendable {
    case empty
    case tooLarge(bytes: Int)
    /// Neither PKCS#12, nor PKCS#8, nor PEM.
    case unknownFormat
    case trailingBytes(count: Int)
    /// `reason` is OpenSSL's.
    case malformed(reason: String)
    case tooDeep
    case noKey(certificates: Int)
    /// By the names that a PKCS#12 file gives them, as far as it does.
    case severalKeys(names: [String])
    case severalCertificates(Int)
    case otherKeysCertificate(Int)
    case tooManyCertificates
    /// The certificate with this number, counted from 1.
    case certificate(number: Int, CertificateError)
    /// A PEM block that is no key or certificate which is read here, by its name.
    case otherBlock(name: String)
    case passwordNeeded
    case wrongPassword
    /// By its name, which may be the file's own word.
    case unsupportedEncryption(String)
    /// PBMAC1.
    case unsupportedMAC
    /// More work than any honest file asks for: of so many iterations or scrypt units.
    case tooCostly(String)
    /// The file's encryption needs OpenSSL's legacy provider, and it cannot be loaded.
    case noLegacyProvider
    /// A key of another algorithm or curve, by its name.
    case unsuitableKey(String)
    case explicitCurve
    case rsaSize(bits: Int)
    /// The numbers of the key contradict each other.
    case inconsistentKey
    case noMemory
}

extension KeyFileError {
    /// What is wrong and what to do, in one line.
    package var message: String {
        switch self {
        case .empty: "the file is empty"
        case .tooLarge(let bytes): "the file has \(bytes) bytes, more than \(KeyFile.largest)"
        case .unknownFormat: "the file is neither PKCS#12 (.pfx, .p12) nor PKCS#8 nor PEM"
        case .trailingBytes(let count): "\(count) bytes follow the end of what the file holds"
        case .malformed(let reason): "the file is malformed (OpenSSL: \(reason))"
        case .tooDeep: "the file has bags in bags, more than \(PKCS12.deepest) deep"
        case .noKey(let certificates): "the file has no private key\(Self.beside(certificates))"
        case .severalKeys(let names):
            "the file has more than one private key\(Self.list(names)); export one of them alone"
        case .severalCertificates(let count): "the file has \(count) certificates of its key; keep one of them"
        case .otherKeysCertificate(1): "the certificate in the file is of another key than the private key"
        case .otherKeysCertificate(let count):
            "none of the \(count) certificates in the file is of its private key; add the key's certificate"
        case .tooManyCertificates: "the file has more than \(KeyFile.mostCertificates) certificates"
        case .certificate(let number, let error): "certificate \(number) of the file: \(error.message)"
        case .otherBlock("OPENSSH PRIVATE KEY"):
            "the file has a key in OpenSSH's format; 'ssh-keygen -p -m PKCS8 -f FILE' writes it as PKCS#8"
        case .otherBlock(let name): "the file has a block \(name.quoted), which is no key or certificate that is taken"
        case .passwordNeeded: "the file is encrypted, and no password was given"
        case .wrongPassword: "the password is not the file's, or the file is damaged"
        case .unsupportedEncryption(let name):
            "the file is encrypted with \(PlainText.log(name, longest: 80)), which is not taken; write it anew with AES-256"
        case .unsupportedMAC: "the file's MAC is PBMAC1, which is not taken; write it anew with a MAC by SHA-256 alone"
        case .tooCostly(let work): "the file's password asks for \(work), more than any honest file"
        case .noLegacyProvider:
            "the file is encrypted with RC2, and OpenSSL's legacy provider (legacy.so) cannot be loaded; install it"
        case .unsuitableKey(let name):
            "the key is \(name); RSA keys of 2048 to 4096 bits and EC keys on P-256, P-384 and P-521 are taken"
        case .explicitCurve: "the key's curve is spelled out in the file; only curves by their name are taken"
        case .rsaSize(let bits) where bits < FilePrivateKey.rsaSizes.lowerBound:
            "the RSA key has \(bits) bits, which is too weak; 2048 to 4096 bits are taken"
        case .rsaSize(let bits): "the RSA key has \(bits) bits; 2048 to 4096 bits are taken"
        case .inconsistentKey: "the numbers of the private key do not fit each other; the file is damaged"
        case .noMemory: "there is no memory"
        }
    }

    private static func beside(_ certificates: Int) -> String {
        switch certificates {
        case 0: ""
        case 1: ", only a certificate; give the file that has the key"
        default: ", only \(certificates) certificates; give the file that has the key"
        }
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "" : ": " + names.map(\.quoted).joined(separator: " and ")
    }
}
