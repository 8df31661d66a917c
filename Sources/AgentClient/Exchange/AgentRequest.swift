/// The requests of the agent's clients. The connection closes after the answer.
package enum AgentRequest {
    /// - Parameter path: Of characters that need no escape there.
    package static func get(_ path: String) -> [UInt8] { head("GET", path) }

    /// For credentials the agent may have to ask a person for a PIN.
    static func credentials(of profile: ProfileArgument) -> [UInt8] {
        head("GET", profile.path("/credentials"), PersonHeader.field())
    }

    /// - Parameter fields: Header fields with their line ends, beside those of every request.
    static func head(_ method: String, _ path: String, _ fields: [UInt8] = []) -> [UInt8] {
        var head = Array("\(method) \(path) HTTP/1.1\r\nHost: tokenward\r\nConnection: close\r\n".utf8)
        head += fields
        head += "\r\n".utf8
        return head
    }
}
