import COpenSSL

/// Why a file's content is no list of certificates.
package enum CertificateFileError: Error, Hashable, Sendable {
    case noCertificate
    case tooLarge(bytes: Int)
    case tooMany
    /// A private key, which this project exists to keep out of files.
    case privateKey
    /// Something else between PEM's lines, by its name there.
    case otherBlock(name: String)
    /// PEM that does not decode after so many good blocks; `reason` is OpenSSL's.
    case malformedPEM(block: Int, reason: String)
    /// The certificate with this number, counted from 1.
    case certificate(number: Int, CertificateError)

    package var message: String {
        switch self {
        case .noCertificate: "the file has no certificate: no line '-----BEGIN CERTIFICATE-----'"
        case .tooLarge(let bytes): "the file has \(bytes) bytes, more than \(Certificate.maximumFileSize)"
        case .tooMany: "the file has more than \(Certificate.maximumFileCount) certificates"
        case .privateKey: "the file has a private key; keep certificates alone in it, and the key on the token"
        case .otherBlock(let name): "the file has a block '\(name)'; only CERTIFICATE is taken"
        case .malformedPEM(let block, let reason): "block \(block) of the file is malformed PEM (OpenSSL: \(reason))"
        case .certificate(let number, let error): "certificate \(number) of the file: \(error.message)"
        }
    }
}

extension Certificate {
    /// The largest file of certificates that is read, in bytes.
    package static let maximumFileSize = 1 << 20
    /// The most certificates that are read from one file.
    package static let maximumFileCount = 100

    /// Reads the content of a certificate file: one certificate in DER, or PEM as `pem(_:)` does.
    package static func file(_ content: [UInt8]) throws(CertificateFileError) -> [Certificate] {
        guard content.first == 0x30 else { return try pem(content) }
        do throws(CertificateError) {
            return [try Certificate(der: content)]
        } catch {
            throw .certificate(number: 1, error)
        }
    }

    /// Reads PEM (RFC 7468): at least one CERTIFICATE, and no block of another kind. Text between blocks is skipped.
    package static func pem(_ text: [UInt8]) throws(CertificateFileError) -> [Certificate] {
        guard text.count <= maximumFileSize else { throw .tooLarge(bytes: text.count) }
        // Before any block is decoded, so that no decoded copy of a key is left in our memory.
        if hasPrivateKey(text) { throw .privateKey }
        return try withCleanErrorQueue { () throws(CertificateFileError) in
            guard let input = unsafe Owned(BIO_new(BIO_s_mem()), freedBy: { unsafe BIO_free_all($0) }),
                unsafe input.use({ unsafe BIO_write($0, text, Int32(text.count)) }) == Int32(text.count)
            else { throw .noCertificate }
            var certificates: [Certificate] = []
            while let der = try nextBlock(input, number: certificates.count + 1) {
                guard certificates.count < maximumFileCount else { throw .tooMany }
                do throws(CertificateError) {
                    certificates.append(try Certificate(der: der))
                } catch {
                    throw .certificate(number: certificates.count + 1, error)
                }
            }
            guard !certificates.isEmpty else { throw .noCertificate }
            return certificates
        }
    }

    /// The content of the next block; nil at the end.
    private static func nextBlock(
        _ input: borrowing Owned, number: Int
    ) throws(CertificateFileError) -> [UInt8]? {
        var name: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var data: UnsafeMutablePointer<UInt8>?
        var count = 0
        guard unsafe input.use({ unsafe PEM_read_bio($0, &name, &header, &data, &count) }) == 1 else {
            let isAtEnd = tokenward_ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
            if isAtEnd { return nil }
            throw .malformedPEM(block: number, reason: firstErrorReason())
        }
        defer {
            unsafe tokenward_OPENSSL_free(name)
            unsafe tokenward_OPENSSL_free(header)
            unsafe tokenward_OPENSSL_clear_free(data, max(0, count))
        }
        let kind = unsafe name.map { unsafe String(cString: $0) } ?? ""
        guard kind == "CERTIFICATE" else { throw .otherBlock(name: String(kind.prefix(64))) }
        return unsafe [UInt8](UnsafeBufferPointer(start: data, count: max(0, count)))
    }

    /// Looks for a line such as `-----BEGIN EC PRIVATE KEY-----`.
    private static func hasPrivateKey(_ text: [UInt8]) -> Bool {
        text.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }).contains { line in
            line.reversed().drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
                .starts(with: "PRIVATE KEY-----".utf8.reversed())
        }
    }
}
