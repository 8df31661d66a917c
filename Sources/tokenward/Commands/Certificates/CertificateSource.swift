import AgentAPI
import AgentClient
import ArgumentParser
import Files
import SystemPackage
import X509

/// A certificate that a person names: by a PKCS#11 URI, which the agent looks up, or as a file, for which no agent is needed.
enum CertificateSource {
    /// - Throws: `ValidationError` for a URI with a PIN in it.
    static func check(_ text: String) throws {
        if isURI(text) { try TokenURI.check(text) }
    }

    static func isURI(_ text: String) -> Bool { text.prefix(7).lowercased() == "pkcs11:" }

    /// The certificates that a URI means on the tokens, at least one.
    static func onTokens(_ uri: String, _ agent: AgentOptions) throws(ClientFailure) -> [CertificateListing] {
        let found = try agent.send(ChangeRequest.certificates(uri: uri)).decode([CertificateListing].self)
        guard !found.isEmpty else {
            throw ClientFailure(
                .noInput, "no certificate on a token matches \(uri)",
                hint: "'tokenward list' shows those that are there")
        }
        return found
    }

    /// The only certificate that a URI means, with its serial number where that is given.
    static func oneOnTokens(
        _ uri: String, serial: String?, _ agent: AgentOptions
    ) throws(ClientFailure) -> (listing: CertificateListing, certificate: Certificate) {
        var found: [(listing: CertificateListing, certificate: Certificate)] = []
        for listing in try onTokens(uri, agent) {
            let certificate = try read(listing)
            if serial ?? certificate.serial.decimal == certificate.serial.decimal {
                found.append((listing, certificate))
            }
        }
        guard let first = found.first else {
            throw ClientFailure(
                .noInput, "no certificate of \(uri) has this serial number",
                hint: "'tokenward certificate show' tells the serial numbers")
        }
        guard found.count == 1 else {
            let names = found.prefix(8).map {
                "\(TokenURI.quoted($0.listing.uri)) --serial \($0.certificate.serial.decimal)"
            }
            throw ClientFailure(
                .noInput, "\(found.count) certificates match \(uri)",
                hint: "name one of: " + names.joined(separator: ", "))
        }
        return first
    }

    /// The certificates of a file, PEM or DER: the leaf, then others.
    static func inFile(_ path: String) throws(ClientFailure) -> [Certificate] {
        let hint = "name a file with a certificate in PEM or DER, the leaf first"
        do {
            // One byte more than the most, which is refused where it is parsed.
            return try Certificate.file(
                OpenFile(path, options: .nonBlocking).beginning(Certificate.maximumFileSize + 1))
        } catch let error as CertificateFileError {
            throw ClientFailure(.noInput, "\(path): \(error.message)", hint: hint)
        } catch {
            throw ClientFailure(.noInput, "\(path): \(error)", hint: hint)
        }
    }

    /// - Throws: Exit code 70 where the agent gave none.
    static func read(_ listing: CertificateListing) throws(ClientFailure) -> Certificate {
        guard let certificate = try? Certificate.pem(Array(listing.pem.utf8)).first else {
            throw .badAnswer("no certificate for \(listing.uri)")
        }
        return certificate
    }
}
