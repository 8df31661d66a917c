/// How long an exchange may take, and how much may come back.
package struct HTTPLimits: Hashable, Sendable {
    /// Name, address, proxy and TLS together.
    package var connectMilliseconds = 10_000
    /// From the moment the request can be sent to the last byte of the answer, however steadily it drips.
    package var answerMilliseconds = 15_000
    /// Of all header sections together, status lines included.
    package var headerBytes = 32_768
    package var bodyBytes = 262_144
    /// Answers of status 1xx before the real one.
    package var interimAnswers = 8

    package init() {}
}
