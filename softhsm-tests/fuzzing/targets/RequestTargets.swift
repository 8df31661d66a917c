import COpenSSL
import CertificateRequests
import DistinguishedNames

extension Target {
    /// Subjects and alternative names of certificate requests. OpenSSL reads each subject whole, and finds in it what was
    /// written; a fault is told in one line with its place.
    static let subjects = Target(name: "subjects") { bytes in
        guard let text = bytes.text else { return }
        checkAlternativeName(text)
        do throws(DistinguishedNameError) {
            let subject = try SubjectName(text)
            require((try? SubjectName(" \(text) ")) == subject, text)
            guard let printed = printed(subject.der) else { fatalError("OpenSSL reads another name: \(text)") }
            require(printed.isOneHarmlessLine, text)
            // A string of another kind, which can be given after '#', is printed as text.
            guard !text.contains("#") else { return }
            // X509_NAME_print_ex does not escape a value that is '#' alone, and cuts identifiers off after 79 characters.
            guard !"\(printed),".contains("=#,"), !printed.contains("=#+") else { return }
            let types = try NameText(text).parts.joined().map(\.type)
            guard types.allSatisfy({ $0.utf8.count < 80 }) else { return }
            require((try? SubjectName(printed)) == subject, "\(text) becomes \(printed)")
        } catch {
            require(error.message.hasPrefix("column ") && error.message.isOneHarmlessLine, error.message)
        }
    }

    private static func checkAlternativeName(_ text: String) {
        do throws(AlternativeNameError) {
            let name = try AlternativeName(text)
            let content = Array(name.der.dropFirst(2))
            require(name.der.first.map { (0x81...0x87).contains($0) } ?? false, text)
            // A length below 128 is one byte (X.690 §8.1.3.4).
            require(content.count >= 128 || Int(name.der[1]) == content.count, text)
        } catch {
            require(error.message.isOneHarmlessLine, error.message)
        }
    }

    /// RFC 2253 text of a name, with the types in dotted decimal, because OpenSSL has names for more; nil where OpenSSL reads none, or writes other DER.
    private static func printed(_ der: [UInt8]) -> String? {
        unsafe der.withUnsafeBufferPointer { buffer -> String? in
            var cursor = buffer.baseAddress
            guard let name = unsafe d2i_X509_NAME(nil, &cursor, buffer.count) else { return nil }
            defer { unsafe X509_NAME_free(name) }
            guard unsafe i2d_X509_NAME(name, nil) == Int32(buffer.count), let output = unsafe BIO_new(BIO_s_mem())
            else {
                return nil
            }
            defer { unsafe BIO_free(output) }
            let flags = (tokenward_XN_FLAG_RFC2253 & ~UInt(ASN1_STRFLGS_ESC_MSB)) | UInt(XN_FLAG_FN_OID)
            guard unsafe X509_NAME_print_ex(output, name, 0, flags) >= 0 else { return nil }
            var data: UnsafeMutablePointer<CChar>?
            let count = unsafe tokenward_BIO_get_mem_data(output, &data)
            return unsafe String(
                validating: UnsafeRawBufferPointer(start: data, count: max(0, count)), as: UTF8.self)
        }
    }
}
