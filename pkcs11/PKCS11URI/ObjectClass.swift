/// What an object is: the values of the attribute `type` (RFC 7512 §2.3).
package enum ObjectClass: String, Hashable, Sendable, CaseIterable {
    /// CKO_CERTIFICATE
    case certificate = "cert"
    /// CKO_PRIVATE_KEY
    case privateKey = "private"
    /// CKO_PUBLIC_KEY
    case publicKey = "public"
    /// CKO_SECRET_KEY
    case secretKey = "secret-key"
    /// CKO_DATA
    case data = "data"
}
