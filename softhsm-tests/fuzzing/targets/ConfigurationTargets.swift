import Agent
import Glibc

extension Target {
    /// TOML: what is written from the values that were read is read as the same values.
    static let toml = Target(name: "toml") { bytes in
        var faults = 0
        let values = TOMLParser.parse(bytes) { fault in
            faults += 1
            require(fault.line >= 1 && fault.line <= bytes.count + 1, "line \(fault.line)")
        }
        require((values == nil) == (faults > 0), "\(faults) faults")
        guard let values else { return }
        let text = values.map { "\(quoted($0.key)) = \(written($0.value))\n" }.joined()
        let again = TOMLParser.parse(Array(text.utf8)) { require(false, "\($0.message): \(text)") }
        require(again?.count == values.count, text)
        for (name, value) in values { require(again?[name].map { isEqual(value, $0) } == true, text) }
    }

    private static func written(_ node: TOMLNode) -> String {
        switch node.value {
        case .text(let text): quoted(text)
        case .integer(let number): "\(number)"
        case .boolean(let flag): "\(flag)"
        case .array(let elements): "[\(elements.map(written).joined(separator: ","))]"
        case .table(let entries):
            "{\(entries.map { "\(quoted($0.key)) = \(written($0.value))" }.joined(separator: ", "))}"
        }
    }

    private static func quoted(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar in
            let digits = String(scalar.value, radix: 16)
            return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
        }
        return "\"\(scalars.joined())\""
    }

    private static func isEqual(_ left: TOMLNode, _ right: TOMLNode) -> Bool {
        switch (left.value, right.value) {
        case (.text(let one), .text(let other)): one.utf8.elementsEqual(other.utf8)
        case (.integer(let one), .integer(let other)): one == other
        case (.boolean(let one), .boolean(let other)): one == other
        case (.array(let one), .array(let other)):
            one.count == other.count && zip(one, other).allSatisfy { isEqual($0, $1) }
        case (.table(let one), .table(let other)):
            one.count == other.count && one.allSatisfy { name, value in other[name].map { isEqual(value, $0) } == true }
        default: false
        }
    }

    /// Configuration files, with all that they mean: it is a configuration, or it has faults of one line each.
    static let configurations = Target(name: "configurations") { bytes in
        let path = ".build-fuzz/configuration-\(getpid()).toml"
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        let isWritten = unsafe write(file, bytes, bytes.count) == bytes.count
        require(isWritten, "\(path) cannot be written")
        defer {
            close(file)
            unsafe unlink(path)
        }
        let accounts = AccountDirectory(
            ownUser: geteuid(), user: { $0 == "alice" ? 1000 : nil }, group: { $0 == "deploy" ? 100 : nil })
        do throws(ConfigurationError) {
            _ = try ConfigurationLoader(environment: [:], isSystem: false, accounts: accounts).load(path: path)
        } catch {
            require(!error.faults.isEmpty && error.faults.count <= 200, "\(error.faults.count) faults")
            for fault in error.faults {
                require(fault.message.isOneHarmlessLine && fault.message.utf8.count <= 8192, fault.message)
                require(fault.line.map { 1...bytes.count + 1 ~= $0 } != false, "line \(fault.line ?? 0)")
            }
        }
    }
}
