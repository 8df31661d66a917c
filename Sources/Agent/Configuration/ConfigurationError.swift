import PlainText

/// Everything that is wrong with the configuration: of all files, not only the first fault.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One fault: where it is, what it is, what to do.
    package struct Fault: Hashable, Sendable, CustomStringConvertible {
        package let file: String
        /// Counted from 1; nil when the file itself is at fault.
        package let line: Int?
        /// One line: what is wrong; what to do.
        package let message: String

        /// `FILE:LINE: what is wrong; what to do`.
        package var description: String {
            if let line { "\(file):\(line): \(message)" } else { "\(file): \(message)" }
        }
    }

    private static let shown = 20

    /// File by file as they are read, in each file from the top.
    package fileprivate(set) var faults: [Fault] = []
    /// Faults that were found and not kept, because there were too many.
    package fileprivate(set) var omitted = 0

    /// One line for each fault; the first twenty, then how many more.
    package var description: String {
        let hidden = max(0, faults.count - Self.shown) + omitted
        let lines = faults.prefix(Self.shown).map(\.description)
        return (lines + (hidden > 0 ? ["… and \(hidden) more"] : [])).joined(separator: "\n")
    }
}

/// The faults found so far. The loader owns it; the readers of the parts of the configuration add to it.
final class FaultList {
    /// A hostile megabyte can hold a hundred thousand faults; more than these are only counted.
    private static let capacity = 200
    private static let longestMessage = 1000

    private(set) var error = ConfigurationError()
    private var firstOfFile = 0

    var isEmpty: Bool { error.faults.isEmpty }

    /// Adds a fault, with its text from the file made fit for one line of a terminal.
    func add(file: String, line: Int?, _ message: @autoclosure () -> String) {
        guard error.faults.count < Self.capacity else {
            error.omitted += 1
            return
        }
        error.faults.append(
            .init(
                file: PlainText.log(file, longest: 4096), line: line,
                message: PlainText.log(message(), longest: Self.longestMessage)))
    }

    /// Puts the faults of the file that was just read into the order of its lines.
    func endFile() {
        let ordered = error.faults[firstOfFile...].enumerated().sorted {
            ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset)
        }
        error.faults.replaceSubrange(firstOfFile..., with: ordered.map(\.element))
        firstOfFile = error.faults.count
    }
}
