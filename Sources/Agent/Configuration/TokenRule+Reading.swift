import PKCS11URI
import Tokens

extension TokenRule {
    /// Reads a `[[token]]`; nil, with a fault, where its URI is missing or wrong.
    init?(reading table: inout TableReader) {
        let uri = table.required("uri", Self.uri)
        let source = table.value("pin-source", Self.pinSource)
        let lifetime = table.integer("pin-lifetime-seconds", in: 0...604_800)
        let touch = table.boolean("touch")
        let reservedPINs = table.boolean("reserved-pins")
        table.refuseUnknownKeys()
        guard let uri else { return nil }
        self.init(
            uri: uri, pinSource: source ?? .prompt, pinLifetimeSeconds: lifetime ?? Self.usualPINLifetime,
            touch: touch ?? false, reservedPINs: reservedPINs ?? false)
    }

    private static func uri(_ node: TOMLNode) throws(ValueFault) -> PKCS11URI {
        let uri = try PKCS11URI(reading: node)
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
                return .file(try TOMLNode.path(ofFileURI: text))
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
