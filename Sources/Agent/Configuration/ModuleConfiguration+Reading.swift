import Encodings
import ModuleFiles
import PlainText

extension ModuleConfiguration {
    /// Reads a `[[module]]`; nil, with a fault, where its path or name is missing or wrong.
    init?(reading table: inout TableReader) {
        let path = table.value("path", Self.path)
        let name = table.value("name", Self.name)
        let environment = table.texts("environment", Self.variable)
        let sessions = table.integer("sessions", in: 1...64)
        let hasNetwork = table.boolean("network")
        let writable = table.list("writable", Self.writable)
        let initArguments = table.value("init-arguments") { node throws(ValueFault) in try node.text() }
        var timeouts = Timeouts()
        for (key, member) in [
            ("list-timeout-seconds", \Timeouts.list), ("login-timeout-seconds", \.login),
            ("sign-timeout-seconds", \.sign), ("touch-timeout-seconds", \.touch),
        ] {
            if let seconds = table.integer(key, in: 1...600) { timeouts[keyPath: member] = seconds }
        }
        table.refuseUnknownKeys()
        if !table.has("path"), !table.has("name") {
            table.fault("\(table.title) has neither path nor name; add one of them")
        }
        guard let location = path.map(Location.path) ?? name.map(Location.name) else { return nil }
        self.init(location: location, environment: environment, sessions: sessions ?? 2, timeouts: timeouts)
        self.hasNetwork = hasNetwork ?? false
        if table.has("writable") { self.writable = writable }
        self.initArguments = initArguments
        if path != nil { givenName = name }
    }

    private static func path(_ node: TOMLNode) throws(ValueFault) -> String {
        let path = try TOMLNode.absolutePath(try node.text())
        guard !path.hasSuffix("/p11-kit-proxy.so") else {
            throw ValueFault(" is \(path.quoted), which \(ModuleFile.proxy)")
        }
        return path
    }

    private static func writable(_ node: TOMLNode) throws(ValueFault) -> String {
        var path = try node.text()
        while path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        guard !path.isEmpty else { throw ValueFault(" is /, which would be no limit; name the folders") }
        return try TOMLNode.absolutePath(path)
    }

    private static func name(_ node: TOMLNode) throws(ValueFault) -> String {
        let name = try node.text(limit: 255)
        guard name.utf8.allSatisfy({ $0.isAlphanumeric || "_.-".utf8.contains($0) }), !name.hasPrefix(".") else {
            throw ValueFault(
                " is \(name.quoted), which p11-kit cannot have; give a name that 'p11-kit list-modules' shows")
        }
        guard !name.hasSuffix(".module") else {
            throw ValueFault(" is \(name.quoted), a file's name; leave .module out")
        }
        return name
    }

    private static func variable(_ name: String, _ node: TOMLNode) throws(ValueFault) -> String {
        guard name.utf8.first?.isDigit == false, name.utf8.count <= 255,
            name.utf8.allSatisfy({ $0.isAlphanumeric || $0 == UInt8(ascii: "_") })
        else { throw ValueFault(" is no name for a variable; use letters, digits and _") }
        if case .text("") = node.value { return "" }
        return try node.text()
    }
}
