import Testing

/// A configuration, and what loading it must complain of.
struct FaultCase: Sendable, CustomTestStringConvertible {
    let text: String
    let faults: [String]

    init(_ text: String, _ faults: String...) {
        self.text = text
        self.faults = faults
    }

    var testDescription: String { String(text.prefix(200)) }
}
