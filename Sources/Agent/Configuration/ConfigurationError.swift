/// Everything that is wrong with the configuration: of all files, not only the first fault.
package struct ConfigurationError: Error, Hashable, Sendable {
    /// One fault: where it is, what it is, what to do.
    package struct Fault: Hashable, Sendable {
        package let file: String
        /// Counted from 1; nil when the file itself is at fault.
        package let line: Int?
        /// One line: what is wrong; what to do.
        package let message: String
    }

    /// File by file as they are read, in each file from the top.
    package let faults: [Fault]
    /// Faults that were found and not kept, because there were too many.
    package let omitted: Int
}

extension ConfigurationError: CustomStringConvertible {
    private static let shown = 20

    /// One line for each fault; the first twenty, then how many more.
    package var description: String {
        let hidden = max(0, faults.count - Self.shown) + omitted
        let lines = faults.prefix(Self.shown).map(\.description)
        return (lines + (hidden > 0 ? ["… and \(hidden) more"] : [])).joined(separator: "\n")
    }
}

extension ConfigurationError.Fault: CustomStringConvertible {
    /// `FILE:LINE: what is wrong; what to do`.
    package var description: String {
        if let line { "\(file):\(line): \(message)" } else { "\(file): \(message)" }
    }
}
