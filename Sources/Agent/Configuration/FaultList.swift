import PlainText

/// The faults found so far. The loader owns it; the readers of the parts of the configuration add to it.
final class FaultList {
    /// A hostile megabyte can hold a hundred thousand faults; more than these are only counted.
    private static let capacity = 200
    private static let longestMessage = 1000

    private var faults: [ConfigurationError.Fault] = []
    private var omitted = 0
    private var firstOfFile = 0

    /// Adds a fault; whatever came from a file is made fit for one line of a terminal.
    func add(file: String, line: Int?, _ message: @autoclosure () -> String) {
        guard faults.count < Self.capacity else {
            omitted += 1
            return
        }
        faults.append(
            .init(
                file: PlainText.log(file, longest: 4096), line: line,
                message: PlainText.log(message(), longest: Self.longestMessage))
        )
    }

    /// Puts the faults of the file that was just read into the order of its lines.
    func endFile() {
        let ordered = faults[firstOfFile...].enumerated().sorted {
            ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset)
        }
        faults.replaceSubrange(firstOfFile..., with: ordered.map(\.element))
        firstOfFile = faults.count
    }

    var isEmpty: Bool { faults.isEmpty }

    var error: ConfigurationError { ConfigurationError(faults: faults, omitted: omitted) }
}
