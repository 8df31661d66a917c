import COpenSSL
import DistinguishedNames
import SignatureSchemes
import Testing

@testable import CertificateRequests

/// Requests around signatures of OpenSSL's keys, judged by OpenSSL.
@Suite struct CertificateRequestTests {
    private static let schemes: [(String, SignatureScheme)] = [
        ("prime256v1", SignatureScheme(.ecdsa, .sha256)), ("secp384r1", SignatureScheme(.ecdsa, .sha384)),
        ("secp521r1", SignatureScheme(.ecdsa, .sha512)), ("RSA", SignatureScheme(.rsaPKCS1, .sha256)),
        ("RSA", SignatureScheme(.rsaPKCS1, .sha384)), ("RSA", SignatureScheme(.rsaPKCS1, .sha512)),
    ]

    @Test("OpenSSL verifies it, and reads what it asks for", arguments: schemes)
    func requests(_ kind: String, _ scheme: SignatureScheme) throws {
        let key = try unsafe #require(Self.key(kind))
        defer { unsafe EVP_PKEY_free(key) }
        let request = try CertificateRequest(
            subject: SubjectName("CN=a,O=b"), publicKeyInfo: unsafe Self.bytes { unsafe i2d_PUBKEY(key, $0) },
            alternativeNames: [AlternativeName("DNS:a.example"), AlternativeName("IP:192.0.2.1")])
        let signature = unsafe Self.signature(of: request.toBeSigned, by: key, scheme)
        let der = try #require(request.signed(signature, by: scheme))

        let read = try unsafe #require(Self.read(der))
        defer { unsafe X509_REQ_free(read) }
        #expect(unsafe X509_REQ_verify(read, key) == 1)
        #expect(unsafe X509_REQ_get_version(read) == 0)
        let text = unsafe Self.text(of: read)
        for line in [
            "Subject: O=b, CN=a", "Key Usage: critical\n                    Digital Signature\n",
            "Extended Key Usage: \n                    TLS Web Client Authentication\n",
            "DNS:a.example, IP Address:192.0.2.1",
        ] {
            #expect(text.contains(line), "\(text)")
        }
    }

    @Test("A request without names has no such extension, and RSA-PSS makes none")
    func withoutNames() throws {
        let request = try CertificateRequest(subject: SubjectName("CN=a"), publicKeyInfo: [0x30, 0])
        #expect(!request.toBeSigned.contains(0x11))  // 2.5.29.17
        #expect(request.signed([1], by: SignatureScheme(.rsaPSS, .sha256)) == nil)
    }

    private static func key(_ kind: String) -> OpaquePointer? {
        let context = unsafe EVP_PKEY_CTX_new_from_name(nil, kind == "RSA" ? "RSA" : "EC", nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1 else { return nil }
        if kind == "RSA" {
            unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048)
        } else {
            unsafe EVP_PKEY_CTX_set_group_name(context, kind)
        }
        return unsafe EVP_PKEY_generate(context, &key) == 1 ? unsafe key : nil
    }

    private static func signature(of message: [UInt8], by key: OpaquePointer, _ scheme: SignatureScheme) -> [UInt8] {
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        let digest =
            switch scheme.hash {
            case .sha256: unsafe EVP_sha256()
            case .sha384: unsafe EVP_sha384()
            case .sha512: unsafe EVP_sha512()
            }
        var count = 1024
        var signature = [UInt8](repeating: 0, count: count)
        unsafe EVP_DigestSignInit(context, nil, digest, nil, key)
        unsafe EVP_DigestSign(context, &signature, &count, message, message.count)
        return Array(signature.prefix(count))
    }

    private static func read(_ der: [UInt8]) -> OpaquePointer? {
        unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            let request = unsafe d2i_X509_REQ(nil, &cursor, buffer.count)
            guard unsafe cursor == buffer.baseAddress.map({ unsafe $0 + buffer.count }) else { return nil }
            return unsafe request
        }
    }

    private static func text(of request: OpaquePointer) -> String {
        let output = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(output) }
        unsafe X509_REQ_print(output, request)
        var data: UnsafeMutablePointer<CChar>?
        let count = unsafe tokenward_BIO_get_mem_data(output, &data)
        return unsafe String(decoding: UnsafeRawBufferPointer(start: data, count: count), as: UTF8.self)
    }

    private static func bytes(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8] {
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe encode(&encoded)
        defer { unsafe tokenward_OPENSSL_free(encoded) }
        return unsafe [UInt8](UnsafeBufferPointer(start: encoded, count: Int(count)))
    }
}
