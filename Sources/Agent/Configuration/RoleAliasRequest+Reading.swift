import AWSNames
import Encodings
import IoTCore
import PlainText

extension RoleAliasRequest {
    /// Reads the keys of a profile that describe its session; nil, with a fault, where a required one is missing or
    /// wrong.
    init?(reading table: inout TableReader) {
        let endpoint = table.required("endpoint") { node throws(ValueFault) in
            try Endpoint(reading: node, for: .iotCore)
        }
        let alias = table.required("role-alias") { node throws(ValueFault) in
            try Self.name(node, allowed: "_=,@-")
        }
        let thing = table.value("thing-name") { node throws(ValueFault) in try Self.name(node, allowed: ":_-") }
        guard let endpoint, let alias else { return nil }
        self.init(endpoint: endpoint, roleAlias: alias, thingName: thing)
    }

    /// - Parameter allowed: What it may have beside letters and digits.
    private static func name(_ node: TOMLNode, allowed: String) throws(ValueFault) -> String {
        let name = try node.text()
        guard (1...128).contains(name.utf8.count),
            name.utf8.allSatisfy({ $0.isAlphanumeric || allowed.utf8.contains($0) })
        else { throw ValueFault(" is \(name.quoted); give 1 to 128 letters, digits and \(allowed)") }
        return name
    }
}
