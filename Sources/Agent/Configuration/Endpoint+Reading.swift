import AWSNames
import PlainText

extension Endpoint {
    /// Reads an endpoint that is right by itself.
    init(reading node: TOMLNode) throws(ValueFault) {
        let text = try node.text()
        // Not repeated: it may be a password.
        guard !text.contains("@") else { throw ValueFault(" holds a user or a password; leave it out") }
        do throws(RequestFault) {
            try self.init(override: text)
        } catch {
            // The message begins with the key's own name.
            throw ValueFault(String(error.message.trimmingPrefix("endpoint")))
        }
    }
}
