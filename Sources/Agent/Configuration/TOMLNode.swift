/// A value of a TOML document, and where it stands.
package struct TOMLNode {
    /// The types that settings have. TOML has floats and dates as well, which no setting takes.
    package enum Value {
        case text(String)
        case integer(Int)
        case boolean(Bool)
        case array([TOMLNode])
        case table([String: TOMLNode])
    }

    package let value: Value
    /// Counted from 1. Of a table: its header, or else its first mention.
    let line: Int

    /// Its type, as a message names it.
    var kind: String {
        switch value {
        case .text: "a string"
        case .integer: "an integer"
        case .boolean: "a boolean"
        case .array: "an array"
        case .table: "a table"
        }
    }
}
