package import Foundation

/// Python's standard library, asked by the tests for what is right.
package enum Python {
    package struct Failure: Error {
        package let status: Int32
    }

    /// Runs a program of Python that reads `input` and prints an answer.
    ///
    /// - Parameter interpreter: A path, or the name of a command.
    /// - Returns: The lines that it printed.
    /// - Throws: `Failure` where it ends with another status than zero.
    package static func answers(
        _ program: String, to input: Data, by interpreter: String = "python3"
    ) throws -> [Substring] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("python-\(UUID())")
        try input.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }  // what is left is in the temporary folder
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [interpreter, "-c", program]
        process.standardInput = try FileHandle(forReadingFrom: file)
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(status: process.terminationStatus) }
        return text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
    }
}
