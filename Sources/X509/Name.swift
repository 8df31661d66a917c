import COpenSSL
import Encodings
import PlainText

/// A distinguished name in a certificate.
package struct Name: Hashable, Sendable, CustomStringConvertible {
    /// RFC 2253 text, most specific first. UTF-8 stays as it is; characters that a terminal could act on are escaped: control
    /// characters, and Unicode's invisible ones such as direction marks.
    package let description: String
    /// The name as it stands in the certificate.
    package let der: [UInt8]
    /// Equal for names that RFC 5280 §7.1 holds equal, and seldom for others: a cheap first look.
    let digest: UInt64

    package var isEmpty: Bool { description.isEmpty }
}

extension Name {
    /// Copies an `X509_NAME`; nil where OpenSSL cannot print it.
    init?(_ name: OpaquePointer?) {
        guard let name = unsafe name else { return nil }
        guard let text = unsafe Self.text(name) else { return nil }
        description = Self.escapingInvisible(text)
        der = unsafe derBytes { unsafe i2d_X509_NAME(name, $0) }
        var isHashed: Int32 = 0
        digest = unsafe UInt64(X509_NAME_hash_ex(name, nil, nil, &isHashed))
        guard isHashed == 1 else { return nil }
    }

    /// RFC 2253 text as OpenSSL writes it; nil where a value cannot be made UTF-8.
    private static func text(_ name: OpaquePointer) -> String? {
        let flags = tokenward_XN_FLAG_RFC2253 & ~UInt(ASN1_STRFLGS_ESC_MSB)
        guard let bio = unsafe Owned(BIO_new(BIO_s_mem()), freedBy: { unsafe BIO_free_all($0) }) else { return nil }
        return unsafe bio.use { bio in
            guard unsafe X509_NAME_print_ex(bio, name, 0, flags) >= 0 else { return nil }
            var data: UnsafeMutablePointer<CChar>?
            let count = unsafe tokenward_BIO_get_mem_data(bio, &data)
            let bytes = unsafe UnsafeRawBufferPointer(start: data, count: max(0, count))
            return unsafe String(validating: bytes, as: UTF8.self)
        }
    }

    /// RFC 2253's `\XX` for each byte of a scalar that shows nothing: OpenSSL escapes those below U+0080 alone.
    private static func escapingInvisible(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard !PlainText.isHarmless(scalar) else {
                result.append(scalar)
                continue
            }
            for byte in UTF8.encode(scalar) ?? .init() {
                result.append(contentsOf: "\\\(Hexadecimal.encode([byte], .uppercase))".unicodeScalars)
            }
        }
        return String(result)
    }
}
