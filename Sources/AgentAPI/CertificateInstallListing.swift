/// The answer to `POST /v1/certificates/install`.
package struct CertificateInstallListing: Message {
    package var uri = "?"
    package var subject = "?"
    /// Decimal.
    package var serial = "?"
    /// The subjects of the intermediate certificates that were written beside it.
    package var intermediates: [String] = []
    /// The profile that has fetched a session with it.
    package var provenBy: String?
    /// The serial numbers of the certificates that it replaces, which were deleted.
    package var retired: [String] = []
    /// Why older certificates of the key were left.
    package var remark: String?

    package init() {}

    package mutating func members(_ coder: inout MessageCoder) {
        coder.member("uri", &uri)
        coder.member("subject", &subject)
        coder.member("serial", &serial)
        coder.member("intermediates", &intermediates)
        coder.member("proven_by", &provenBy)
        coder.member("retired", &retired)
        coder.member("remark", &remark)
    }
}
