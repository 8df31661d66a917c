private import FoundationEssentials

/// Messages of the socket to and from JSON, with their members sorted by name.
package enum AgentMessage {
    package static let mediaType = "application/json"

    /// - Throws: `Problem.internal` for a number that JSON has no text for.
    package static func encode(_ message: some Encodable) throws(Problem) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(message))
        } catch {
            throw Problem(.internalFault, "an answer could not be written as JSON")
        }
    }

    /// Reads a message and ignores members that it does not know.
    ///
    /// - Throws: `Problem.internal` when the bytes are not such a message.
    package static func decode<Message: Decodable>(_ type: Message.Type, from json: [UInt8]) throws(Problem) -> Message
    {
        do {
            return try JSONDecoder().decode(type, from: Data(json))
        } catch {
            throw Problem(.internalFault, "the agent's answer is not the JSON that this program knows")
        }
    }
}
