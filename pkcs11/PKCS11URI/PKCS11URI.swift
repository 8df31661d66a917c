/// A PKCS#11 URI (RFC 7512).
package struct PKCS11URI: Hashable, Sendable {
    package init(_ text: String) throws(PKCS11URIError) { throw PKCS11URIError(message: "") }
}

package struct PKCS11URIError: Error, Hashable, Sendable {
    package var message: String
}
