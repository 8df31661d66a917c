package import PKCS11
package import TokenService

/// What a keeper does beside a worker's work: it answers requests that no worker understands. A program without one is a
/// worker.
package struct ManagementDuty: Sendable {
    package typealias Answer =
        @Sendable (
            _ request: [UInt8], _ secret: HeldPIN?, _ open: (TokenReference) -> Result<OpenToken, PKCS11Error>
        ) -> [UInt8]

    let answer: Answer

    /// - Parameter answer: Called on the one thread that looks and logs in. It gets the bytes of a request, the secret that
    ///   came beside them, and a way to the session of a token, read-write and logged in as that thread has left it; it gives
    ///   the bytes of a reply.
    package init(_ answer: @escaping Answer) { self.answer = answer }
}
