import DistinguishedNames
package import PKCS11URI
import PlainText
import X509

/// Which certificate a profile signs in with.
package struct IdentitySelector: Hashable, Sendable {
    package enum Certificate: Hashable, Sendable {
        /// Whatever the selectors leave, on any token.
        case any
        case token(PKCS11URI)
        /// An absolute path to a PEM or DER file; its key is on a token.
        case file(String)
    }
    package var certificate = Certificate.any
    /// Where else it is, in the order in which to try; `certificate` is a URI then.
    package var spares: [PKCS11URI] = []
    /// Which private key is meant: that of a certificate in a file, or on its own token.
    package var key: PKCS11URI?
    /// RFC 2253 text, or part of it; see `certificate-subject`.
    package var subject: String?
    package var issuer: String?
    /// Decimal or hexadecimal digits, as written; see `SerialNumberText`.
    package var serial: String?
    /// An absolute path to a PEM file with intermediate certificates.
    package var intermediates: String?
}

extension IdentitySelector {
    /// Reads those keys of a profile that choose its certificate and key.
    init(reading table: inout TableReader) {
        if let read = table.value("certificate", Self.certificates) { (certificate, spares) = read }
        key = table.value("private-key") { node throws(ValueFault) in try Self.uri(node, .privateKey) }
        subject = table.value("certificate-subject", Self.name)
        issuer = table.value("certificate-issuer", Self.name)
        serial = table.value("certificate-serial", Self.serial)
        intermediates = table.absolutePath("intermediates")
        if case .file = certificate { Self.checkFile(table) }
    }

    /// A URI that can mean an object of this class.
    private static func uri(_ node: TOMLNode, _ objectClass: ObjectClass) throws(ValueFault) -> PKCS11URI {
        let uri = try PKCS11URI(reading: node)
        guard let type = uri.type, type != objectClass else { return uri }
        throw ValueFault(
            " has type=\(type.rawValue), and what it names is a \(objectClass.rawValue); leave out type, or write "
                + "type=\(objectClass.rawValue)")
    }

    /// A file holds the one certificate, and cannot say which key is its own.
    private static func checkFile(_ table: TableReader) {
        if !table.has("private-key") {
            table.fault("\(table.title) has a certificate in a file and no private-key; add its pkcs11: URI")
        }
        for selector in ["certificate-subject", "certificate-issuer", "certificate-serial"] where table.has(selector) {
            table.fault(
                at: table.lineOf(selector),
                "\(selector) chooses among certificates on tokens, and this one is a file; remove it")
        }
    }

    private static func certificates(_ node: TOMLNode) throws(ValueFault) -> (Certificate, spares: [PKCS11URI]) {
        guard case .array(let elements) = node.value else { return (try certificate(node), []) }
        guard (1...16).contains(elements.count) else {
            throw ValueFault(" has \(elements.count) elements; give 1 to 16 pkcs11: URIs")
        }
        var uris: [PKCS11URI] = []
        for element in elements {
            guard case .token(let uri) = try certificate(element) else {
                throw ValueFault(" is an array with a file in it; give pkcs11: URIs")
            }
            uris.append(uri)
        }
        return (.token(uris[0]), Array(uris.dropFirst()))
    }

    private static func certificate(_ node: TOMLNode) throws(ValueFault) -> Certificate {
        let text = try node.text(limit: 65_536)
        if text.hasPrefix("/") { return .file(try TOMLNode.absolutePath(text)) }
        if text.hasPrefix("file:") { return .file(try TOMLNode.path(ofFileURI: text)) }
        if text.lowercased().hasPrefix("pkcs11:") { return .token(try uri(node, .certificate)) }
        throw ValueFault(" is \(text.quoted); give a pkcs11: URI, or the absolute path of a file")
    }

    /// A distinguished name that can be read, as it was written.
    private static func name(_ node: TOMLNode) throws(ValueFault) -> String {
        let text = try node.text(limit: 1024)
        do throws(DistinguishedNameError) {
            _ = try DistinguishedName(text)
        } catch {
            throw ValueFault(
                " is \(text.quoted), which is no name (\(error.message)); write it like \"CN=Example Root,O=Example\"")
        }
        return text
    }

    private static func serial(_ node: TOMLNode) throws(ValueFault) -> String {
        if case .integer = node.value { throw ValueFault(" is an integer; give its digits as a string, in quotes") }
        let text = try node.text(limit: 256)
        guard SerialNumberText(text) != nil else {
            throw ValueFault(" is \(text.quoted); give decimal or hexadecimal digits")
        }
        return text
    }
}

extension PKCS11URI {
    init(reading node: TOMLNode) throws(ValueFault) {
        let text = try node.text(limit: 65_536)
        do throws(PKCS11URIError) {
            self = try PKCS11URI(text)
        } catch {
            throw ValueFault(": \(error.message)")
        }
        guard pinSource == nil else {
            throw ValueFault(" has a pin-source, which we would not use; write it as pin-source of a [[token]]")
        }
    }
}
