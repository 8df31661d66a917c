import KeyFiles
import X509

extension Target {
    /// PKCS#12 files.
    static let pkcs12 = Target(name: "pkcs12") { checkKeyFile($0) }

    /// Keys by themselves, in DER and PEM.
    static let pkcs8 = Target(name: "pkcs8") { checkKeyFile($0) }

    /// With the password "x", then with an empty one: a key that is read fits its certificate, is of a kind that is taken, and
    /// is the same when its own PrivateKeyInfo is read; each reason is one line.
    private static func checkKeyFile(_ bytes: [UInt8]) {
        if !read(bytes, password: [UInt8(ascii: "x")]) { _ = read(bytes, password: []) }
    }

    /// False where another password might be right.
    private static func read(_ bytes: [UInt8], password: [UInt8]) -> Bool {
        do throws(KeyFileError) {
            let file = try KeyFile.read(bytes.span, password: FilePassword(password.span), mostWork: 100_000)
            if let certificate = file.certificate {
                require(certificate.publicKey == file.key.publicKey, "a certificate of another key")
            } else {
                require(file.others.isEmpty, "certificates, and none of the key")
            }
            require(file.others.count < KeyFile.mostCertificates, "\(file.others.count) certificates")
            check(file.key)
        } catch {
            require(error.message.isOneHarmlessLine, error.message)
            return error != .wrongPassword
        }
        return true
    }

    private static func check(_ key: borrowing FilePrivateKey) {
        let publicKey = key.publicKey
        switch publicKey {
        case .rsa(let modulus, _):
            require(FilePrivateKey.rsaSizes.contains(PublicKey.bits(modulus)), "\(publicKey)")
        case .ec(.p256, let point): require(point.count == 65, "\(point.count)")
        case .ec(.p384, let point): require(point.count == 97, "\(point.count)")
        case .ec(.p521, let point): require(point.count == 133, "\(point.count)")
        case .ec(.other, _), .other: require(false, "\(publicKey)")
        }
        key.withBytes(of: .pkcs8) { info in
            do throws(KeyFileError) {
                let again = try KeyFile.read(info, password: FilePassword())
                require(again.key.publicKey == publicKey, "its PrivateKeyInfo is another key")
            } catch {
                require(false, error.message)
            }
        }
    }
}
