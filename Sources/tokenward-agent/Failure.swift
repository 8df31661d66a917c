import Outcomes
import SystemPackage

/// A reason to end before serving: its lines on standard error, and an exit code of the table.
struct Failure: Error {
    let code: ExitCode
    let text: String

    init(_ code: ExitCode, _ text: String) {
        self.code = code
        self.text = text
    }

    func report() {
        for line in text.split(separator: "\n") {
            // An error has no receiver where there is no standard error.
            _ = try? FileDescriptor.standardError.writeAll("tokenward-agent: error: \(line)\n".utf8)
        }
    }
}
