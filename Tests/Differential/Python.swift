package import Foundation
package import Testing

/// Python's standard library, asked by the tests for what is right.
package enum Python {
    /// Runs a program of Python that reads `input` and prints an answer.
    ///
    /// - Returns: The lines that it printed.
    package static func answers(
        _ program: String, to input: Data, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [Substring] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("python-\(UUID())")
        try input.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }  // what is left is in the temporary folder
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", program]
        process.standardInput = try FileHandle(forReadingFrom: file)
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, sourceLocation: sourceLocation)
        return text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
    }
}
