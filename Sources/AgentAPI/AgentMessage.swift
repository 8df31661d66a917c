/// Messages of the socket as JSON, with their members sorted by name.
package enum AgentMessage {
    package static let mediaType = "application/json"

    /// - Throws: `Problem.internal` for a number that is not whole: no message has one.
    package static func encode(_ message: some Encodable) throws(Problem) -> [UInt8] {
        let node = JSONEncoding.Node()
        do {
            try node.encode(message, at: [])
        } catch {
            throw Problem(.internalFault, "an answer could not be written as JSON")
        }
        var bytes: [UInt8] = []
        node.append(to: &bytes)
        return bytes
    }
}
