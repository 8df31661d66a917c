import AWSNames
import Encodings
import PlainText

extension Endpoint {
    /// Reads an endpoint that is right by itself, and not another source's.
    init(reading node: TOMLNode, for source: Source.Kind) throws(ValueFault) {
        let text = try node.text()
        // Not repeated: it may be a password.
        guard !text.contains("@") else { throw ValueFault(" holds a user or a password; leave it out") }
        do throws(RequestFault) {
            try self.init(override: text)
        } catch {
            // The message begins with the key's own name.
            throw ValueFault(error.message.without(prefix: "endpoint"))
        }
        if let misuse = misuse(by: source) { throw ValueFault(" \(misuse)") }
    }

    /// Why it cannot be the endpoint of this source; nil where nothing speaks against it.
    private func misuse(by source: Source.Kind) -> String? {
        let isOfIoT = host.holds(text: ".iot.")
        let ask =
            "'aws iot describe-endpoint --endpoint-type iot:CredentialProvider' tells the one of IoT Core's credentials"
        switch source {
        case .iotCore where isPlaintext: return "is http, which has no client certificates; use https"
        case .iotCore where isOfIoT && !host.holds(text: ".credentials.iot."): return "is for IoT's messages; \(ask)"
        case .iotCore where host.hasPrefix("rolesanywhere"): return "is Roles Anywhere's; \(ask)"
        case .rolesAnywhere where isOfIoT:
            return
                "is IoT Core's; write source = \"iot-core\" for it, because the CA of IoT's certificates can be no trust "
                + "anchor of Roles Anywhere"
        default: return nil
        }
    }
}
