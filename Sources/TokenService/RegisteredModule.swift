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

extension RegisteredModule {
    func write(to writer: inout WireWriter) {
        writer.text(name)
        for text in [path, initArguments] { writer.list(text.map { [$0] } ?? []) { $0.text($1) } }
        writer.flag(isTrusted)
    }

    init(from reader: inout WireReader) throws(WireError) {
        name = try reader.text()
        path = try Self.optionalText(from: &reader)
        initArguments = try Self.optionalText(from: &reader)
        isTrusted = try reader.flag()
    }

    private static func optionalText(from reader: inout WireReader) throws(WireError) -> String? {
        let texts = try reader.list(smallest: 4) { (reader) throws(WireError) in try reader.text() }
        guard texts.count <= 1 else { throw .badValue }
        return texts.first
    }
}
