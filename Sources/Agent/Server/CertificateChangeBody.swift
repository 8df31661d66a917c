package import AgentAPI
import JSON
package import TokenService
package import X509

/// The body of `POST /v1/certificates/install`: `{"file","key"?,"pin"?}`.
package struct CertificateInstallBody: Sendable {
    /// The key's own.
    package let leaf: Certificate
    /// The other certificates of the file.
    package let others: [Certificate]
    /// The key's URI, as it arrived; nil: it is looked for by the certificate.
    package let key: String?
    package let pin: HeldPIN?

    /// - Throws: `badRequest`.
    package init(_ json: Span<UInt8>) throws(Problem) {
        let members = try JSONMembers(body: json, names: ["file", "key", "pin"])
        let certificates = try Self.certificates("file", members, json)
        leaf = certificates[0]
        others = Array(certificates.dropFirst())
        key = members.text("key", in: json)
        pin = try members.pin(in: json)
    }

    /// At least one.
    fileprivate static func certificates(
        _ name: StaticString, _ members: JSONMembers, _ json: Span<UInt8>
    ) throws(Problem) -> [Certificate] {
        guard let text = members.text(name, in: json) else {
            throw Problem(.badRequest, "the body has no \(name, .reason)")
        }
        do throws(CertificateFileError) {
            return try Certificate.pem(Array(text.utf8))
        } catch {
            throw Problem(.badRequest, "\(error.message, .reason)", hint: "give certificates in PEM, the leaf first")
        }
    }
}

/// The body of `POST /v1/certificates/remove`: `{"uri","certificate","pin"?}`.
package struct CertificateRemovalBody: Sendable {
    /// The certificate's or its token's, as it arrived.
    package let uri: String
    /// That which is meant: several on one token can have one URI.
    package let certificate: Certificate
    package let pin: HeldPIN?

    /// - Throws: `badRequest`.
    package init(_ json: Span<UInt8>) throws(Problem) {
        let members = try JSONMembers(body: json, names: ["uri", "certificate", "pin"])
        guard let uri = members.text("uri", in: json) else { throw Problem(.badRequest, "the body has no uri") }
        self.uri = uri
        certificate = try CertificateInstallBody.certificates("certificate", members, json)[0]
        pin = try members.pin(in: json)
    }
}
