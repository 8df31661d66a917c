import Agent
import DistinguishedNames
import X509

extension Target {
    /// Certificate files, DER or PEM: a certificate is the same when its own DER is read, its names find themselves, and each
    /// reason is one line.
    static let certificates = Target(name: "certificates") { bytes in
        do throws(CertificateFileError) {
            for certificate in try Certificate.file(bytes) { check(certificate) }
        } catch {
            require(error.message.isOneHarmlessLine, error.message)
        }
    }

    private static func check(_ certificate: Certificate) {
        require((try? Certificate(der: certificate.der)) == certificate, "its DER is another certificate")
        require((try? Certificate(der: certificate.der + [0, 0])) == certificate, "padding makes another certificate")
        require((1...3).contains(certificate.version), "version \(certificate.version)")
        for name in [certificate.subject, certificate.issuer] where !name.isEmpty {
            require(name.description.isOneHarmlessLine, name.description)
            // Types that we do not know stand in certificates too.
            guard let written = try? DistinguishedName(name.description) else { continue }
            require(written.matches(name), name.description)
        }
    }

    /// Names: of profiles, as they were written; RFC 4514's, where spaces around them say nothing.
    static let names = Target(name: "names") { bytes in
        guard let text = bytes.text else { return }
        if let name = ProfileName(text) { require(name.description == text, text) }
        do throws(DistinguishedNameError) {
            let name = try DistinguishedName(text)
            require((try? DistinguishedName("  \(text) ")) == name, text)
            require((try? DistinguishedName("CN=x, \(text)")) != name, text)
        } catch {
            require(error.message.hasPrefix("column "), error.message)
        }
    }
}
