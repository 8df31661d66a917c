/// A parser, and what holds of it for any bytes. That it ends in time, takes no more memory than libFuzzer is told, and
/// does not trap is looked at for all of them.
struct Target: Sendable {
    let name: String
    /// Ends the process where a rule is broken.
    let run: @Sendable (_ bytes: [UInt8]) -> Void
}

/// Ends the process, which is how libFuzzer learns of an input that breaks a rule.
func require(_ rule: Bool, _ text: @autoclosure () -> String, line: UInt = #line) {
    guard rule else { fatalError("line \(line): \(text())") }
}

extension [UInt8] {
    /// Nil where the bytes are no UTF-8.
    var text: String? { String(validating: self, as: UTF8.self) }

    /// The first byte as a choice, and the rest.
    var choice: (UInt8, [UInt8]) { (first ?? 0, Array(dropFirst())) }
}

extension String {
    /// Whether a terminal shows it in one line and is not told anything by it.
    var isOneHarmlessLine: Bool {
        unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
            default: true
            }
        }
    }
}
