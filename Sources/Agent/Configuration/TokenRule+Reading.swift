import PKCS11URI
import PlainText
import Tokens

extension TokenRule {
    /// Reads a `[[token]]`; nil when its URI is missing or wrong, which is told of.
    init?(reading table: inout TableReader) {
        let uri = table.required("uri", Self.uri)
        let source = table.value("pin-source", Self.pinSource)
        let lifetime = table.value("pin-lifetime-seconds") { node throws(ValueFault) in
            try node.integer(in: 0...604_800)
        }
        let touch = table.value("touch") { node throws(ValueFault) in try node.boolean() }
        let reservedPINs = table.value("reserved-pins") { node throws(ValueFault) in try node.boolean() }
        table.refuseUnknownKeys()
        guard let uri else { return nil }
        self.init(
            uri: uri, pinSource: source ?? .prompt, pinLifetimeSeconds: lifetime ?? Self.usualPINLifetime,
            touch: touch ?? false,
            reservedPINs: reservedPINs ?? false)
    }

    private static func uri(_ node: TOMLNode) throws(ValueFault) -> PKCS11URI {
        let uri = try node.pkcs11URI()
        guard uri.isTokenOnly else {
            throw ValueFault(" names an object, and a PIN belongs to a token; leave out object, id and type")
        }
        return uri
    }

    /// No fault repeats its text: people write the PIN itself here.
    private static func pinSource(_ node: TOMLNode) throws(ValueFault) -> PINSource {
        let text = try node.text()
        if text == "prompt" { return .prompt }
        if text == "protected" { return .protected }
        if text.hasPrefix("file:") {
            do throws(ValueFault) {
                return .file(try TOMLNode.absolutePath(TOMLNode.path(ofFileURI: text)))
            } catch {
                throw ValueFault(" holds no path of this machine behind file:; give file:/PATH, without escapes")
            }
        }
        if text.hasPrefix("credential:") { return .credential(try credential(text.dropFirst(11))) }
        throw ValueFault(" is none that we know; give prompt, file:/PATH, credential:NAME or protected")
    }

    /// systemd.exec(5), `LoadCredential=`: a credential's name is a file's name.
    private static func credential(_ name: Substring) throws(ValueFault) -> String {
        guard (1...255).contains(name.utf8.count), name != ".", name != "..", !name.contains("/") else {
            throw ValueFault(" holds no name behind credential:; give the name of a systemd credential, without /")
        }
        return String(name)
    }
}

extension TOMLNode {
    func pkcs11URI() throws(ValueFault) -> PKCS11URI {
        let text = try text(limit: 65_536)
        let uri: PKCS11URI
        do throws(PKCS11URIError) {
            uri = try PKCS11URI(text)
        } catch {
            throw ValueFault(": \(error.message)")
        }
        guard uri.pinSource == nil else {
            throw ValueFault(" has a pin-source, which we would not use; write it as pin-source of a [[token]]")
        }
        return uri
    }

    /// The path of a `file:` URI: `file:/PATH` or `file:///PATH` (RFC 8089), without escapes.
    static func path(ofFileURI text: String) throws(ValueFault) -> String {
        let rest = text.dropFirst("file:".count)
        let path = rest.hasPrefix("///") ? rest.dropFirst(2) : rest
        guard !path.hasPrefix("//") else {
            throw ValueFault(" is \(text.quoted), a file of another host; give file:/PATH")
        }
        guard !path.contains("%") else {
            throw ValueFault(" is \(text.quoted), and escapes are not undone here; give a path without %")
        }
        return String(path)
    }
}
