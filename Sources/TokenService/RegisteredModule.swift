/// A module as p11-kit's configuration registers it for the agent's user (pkcs11.conf(5)).
package struct RegisteredModule: Hashable, Sendable {
    package var name: String
    /// The library's absolute path; nil for a module that runs in another process (`remote:`).
    package var path: String?
    /// The string that it wants at C_Initialize (`x-init-reserved:`).
    package var initArguments: String?
    /// It holds trust anchors, not keys (`trust-policy: yes`).
    package var isTrusted: Bool

    package init(name: String, path: String?, initArguments: String? = nil, isTrusted: Bool = false) {
        self.name = name
        self.path = path
        self.initArguments = initArguments
        self.isTrusted = isTrusted
    }
}

extension RegisteredModule: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(name, path, initArguments, isTrusted) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            name: try reader.value(), path: try reader.value(), initArguments: try reader.value(),
            isTrusted: try reader.value())
    }
}
