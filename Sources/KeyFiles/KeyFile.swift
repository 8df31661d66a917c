package import X509

/// What a key file holds: one private key, and the certificates beside it.
package struct KeyFile: ~Copyable, Sendable {
    /// The largest file that is read, in bytes.
    package static let largest = 1 << 20
    /// The most certificates that a file may hold.
    package static let mostCertificates = 64

    package let key: FilePrivateKey
    /// The key's own certificate; nil where the file holds no certificate at all.
    package let certificate: Certificate?
    /// The other certificates, each once, in the file's order.
    package let others: [Certificate]

    /// Reads PKCS#12 (RFC 7292), PKCS#8 in DER (RFC 5958), or PEM with PKCS#8, PKCS#1 or SEC 1 keys.
    ///
    /// - Parameter mostWork: How many rounds the passwords of the file may take in all.
    /// - Throws: Where the file is anything but one key that tokens and AWS can use, with its certificate or without any.
    package static func read(
        _ content: Span<UInt8>, password: borrowing FilePassword, mostWork: UInt64 = WorkBudget.largest
    ) throws(KeyFileError) -> KeyFile {
        guard content.count <= largest else { throw .tooLarge(bytes: content.count) }
        guard !content.isEmpty else { throw .empty }
        var found = FileContent(budget: WorkBudget(mostWork))
        try withCleanErrorQueue { () throws(KeyFileError) in
            if content[0] == 0x30 {
                try found.readDER(content, password)
            } else {
                try found.readPEM(content, password)
            }
        }
        return try found.judged()
    }
}

/// What has been found in a file so far.
struct FileContent: ~Copyable {
    var budget: WorkBudget
    private var key: FilePrivateKey?
    private var certificates: [Certificate] = []

    init(budget: WorkBudget) { self.budget = budget }

    mutating func add(_ key: consuming FilePrivateKey) throws(KeyFileError) {
        guard self.key == nil else { throw .severalKeys(names: []) }
        self.key = consume key
    }

    mutating func add(certificate der: [UInt8]) throws(KeyFileError) {
        guard certificates.count < KeyFile.mostCertificates else { throw .tooManyCertificates }
        do throws(CertificateError) {
            let certificate = try Certificate(der: der)
            if !certificates.contains(certificate) { certificates.append(certificate) }
        } catch {
            throw .certificate(number: certificates.count + 1, error)
        }
    }

    /// The key with its certificate, where all fits together.
    consuming func judged() throws(KeyFileError) -> KeyFile {
        let certificates = certificates
        guard let key = consume key else { throw .noKey(certificates: certificates.count) }
        let publicKey = key.publicKey
        let own = certificates.filter { $0.publicKey == publicKey }
        guard own.count <= 1 else { throw .severalCertificates(own.count) }
        guard let certificate = own.first else {
            guard certificates.isEmpty else { throw .otherKeysCertificate(certificates.count) }
            return KeyFile(key: key, certificate: nil, others: [])
        }
        return KeyFile(key: key, certificate: certificate, others: certificates.filter { $0 != certificate })
    }
}
