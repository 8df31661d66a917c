import COpenSSL
import PlainText

extension Certificate {
    /// A subject alternative name of the kinds that sessions can be tagged with (RFC 5280 §4.2.1.6).
    package enum AlternativeName: Hashable, Sendable {
        case dns(String)
        case uri(String)
        case directory(Name)
    }

    /// The most that are read.
    private static let mostAlternativeNames: Int32 = 1000

    /// Those of the certificate, in their order; other kinds are left out.
    package var alternativeNames: [AlternativeName] {
        withCleanErrorQueue {
            guard let certificate = Self.parsed(der) else { return [] }
            return unsafe certificate.use { certificate in
                let found = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil)
                guard let names = unsafe found.map({ OpaquePointer($0) }) else { return [] }
                defer { unsafe GENERAL_NAMES_free(names) }
                return unsafe (0..<min(OPENSSL_sk_num(names), Self.mostAlternativeNames)).compactMap { index in
                    guard let value = unsafe OPENSSL_sk_value(names, index) else { return nil }
                    return unsafe AlternativeName(value.assumingMemoryBound(to: GENERAL_NAME.self).pointee)
                }
            }
        }
    }
}

extension Certificate.AlternativeName {
    fileprivate init?(_ name: GENERAL_NAME) {
        switch unsafe name.type {
        case GEN_DNS:
            guard let text = unsafe contents(name.d.dNSName) else { return nil }
            self = .dns(String(decoding: text, as: UTF8.self))
        case GEN_URI:
            guard let text = unsafe contents(name.d.uniformResourceIdentifier) else { return nil }
            self = .uri(String(decoding: text, as: UTF8.self))
        case GEN_DIRNAME:
            guard let directory = unsafe Name(name.d.directoryName) else { return nil }
            self = .directory(directory)
        default: return nil
        }
    }
}
