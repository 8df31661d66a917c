import COpenSSL
import Glibc

/// The certificate authority of the emulator's own HTTPS: clients trust its `ca.pem`.
///
/// It has nothing to do with the trust anchors: those are for clients, this is for the server.
@safe package final class ServerAuthority {
    private let certificate: OpaquePointer
    private let key: OpaquePointer

    private init(certificate: OpaquePointer, key: OpaquePointer) {
        unsafe self.certificate = unsafe certificate
        unsafe self.key = unsafe key
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
    }

    /// Reads `ca.pem` and `ca-key.pem` of a folder, or makes them, and the folder too.
    package static func open(folder: String) throws(ConfigurationError) -> ServerAuthority {
        unsafe mkdir(folder, 0o700)  // what stands in the way shows when the files are written
        let path = "\(folder)/ca.pem"
        let keyPath = "\(folder)/ca-key.pem"
        if let pem = try? FileBytes.read(path), let keyPEM = try? FileBytes.read(keyPath) {
            // Files that cannot be read are made anew; files that cannot be parsed are somebody's, and stay.
            guard let certificate = unsafe TLSMaterial.certificate(fromPEM: pem),
                let key = unsafe TLSMaterial.key(fromPEM: keyPEM)
            else { throw ConfigurationError(path: path, reason: "it or ca-key.pem cannot be parsed; remove both") }
            return unsafe ServerAuthority(certificate: certificate, key: key)
        }
        guard let key = unsafe TLSMaterial.makeKey() else { throw .opensslFailed(folder) }
        guard
            let certificate = unsafe TLSMaterial.makeCertificate(
                for: key, commonName: "rolesanywhere-emulator CA",
                extensions: [
                    (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
                    (NID_key_usage, "critical,keyCertSign,cRLSign"),
                    (NID_subject_key_identifier, "hash"),
                ], days: 3650, issuer: nil)
        else { throw .opensslFailed(folder) }
        let authority = unsafe ServerAuthority(certificate: certificate, key: key)
        do {
            try unsafe FileBytes.write(TLSMaterial.pem(ofKey: key), to: keyPath, mode: 0o600)
            try unsafe FileBytes.write(TLSMaterial.pem(of: certificate), to: path, mode: 0o644)
        } catch {
            throw ConfigurationError(path: folder, reason: error.reason)
        }
        return authority
    }

    /// A new key and certificate for a server, which live no longer than its process.
    ///
    /// - Parameter names: In the form of subjectAltName, such as `DNS:localhost`.
    package func makeServer(names: [String]) throws(ConfigurationError) -> TLSFiles {
        guard let key = unsafe TLSMaterial.makeKey() else { throw .opensslFailed("TLS") }
        defer { unsafe EVP_PKEY_free(key) }
        guard
            let server = unsafe TLSMaterial.makeCertificate(
                for: key, commonName: "rolesanywhere-emulator",
                extensions: [
                    (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
                    (NID_ext_key_usage, "serverAuth"), (NID_subject_alt_name, names.joined(separator: ",")),
                    (NID_subject_key_identifier, "hash"), (NID_authority_key_identifier, "keyid:always"),
                ], days: 30, issuer: (certificate, self.key))
        else { throw .opensslFailed("TLS") }
        defer { unsafe X509_free(server) }
        return unsafe TLSFiles(certificates: TLSMaterial.pem(of: server), key: TLSMaterial.pem(ofKey: key))
    }
}

/// A server's certificates and key, as PEM.
package struct TLSFiles: Sendable {
    let certificates: [UInt8]
    let key: [UInt8]

    /// - Throws: The path that cannot be read.
    package static func read(certificates: String, key: String) throws(ConfigurationError) -> TLSFiles {
        TLSFiles(certificates: try ConfigurationFile.read(certificates), key: try ConfigurationFile.read(key))
    }
}

extension ConfigurationError {
    fileprivate static func opensslFailed(_ path: String) -> Self {
        ConfigurationError(path: path, reason: "OpenSSL could not make a key or a certificate")
    }
}
