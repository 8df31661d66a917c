import Testing
import TokenService

@testable import Agent

@Suite("Walls that a kernel does not have")
struct MissingWallsTests {
    // landlock(7): truncation came with ABI 3 (Linux 6.2), signals with ABI 6 (Linux 6.12).
    @Test(
        "What modules may do without a wall is said in a line each",
        arguments: [
            (0, true, ["change every file", "send signals"]), (1, true, ["truncate every file", "send signals"]),
            (2, true, ["truncate every file", "send signals"]), (3, true, ["send signals"]),
            (5, true, ["send signals"]), (6, true, []), (7, true, []), (6, false, ["start programs"]),
            (0, false, ["change every file", "send signals", "start programs"]),
        ] as [(Int, Bool, [String])])
    func linesOfAKernel(_ landlock: Int, _ hasCallFilter: Bool, _ expected: [String]) {
        let lines = WorkerWalls.missing(landlock: landlock, hasCallFilter: hasCallFilter)
        #expect(lines.count == expected.count)
        for (line, text) in zip(lines, expected) { #expect(line.contains("modules may \(text)")) }
    }
}
