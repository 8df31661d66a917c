import Glibc
import Testing
import TokenService

@testable import Agent

@Suite("Walls that cannot be put up")
struct MissingWallsTests {
    // landlock(7): truncation came with ABI 3 (Linux 6.2), signals with ABI 6 (Linux 6.12).
    @Test(
        "What modules may do without a wall is said in a line each",
        arguments: [
            (0, 1, ["change every file", "send signals"]), (1, 1, ["truncate every file", "send signals"]),
            (2, 1, ["truncate every file", "send signals"]), (3, 1, ["send signals"]),
            (5, 1, ["send signals"]), (6, 1, []), (7, 1, []), (6, 0, ["start programs"]),
            (0, 0, ["change every file", "send signals", "start programs"]),
            (-EPERM, -EPERM, ["change every file", "send signals", "start programs"]),
        ] as [(Int32, Int32, [String])])
    func lines(_ landlock: Int32, _ callFilter: Int32, _ expected: [String]) {
        let lines = WorkerWalls.missing(landlock: landlock, callFilter: callFilter)
        #expect(lines.count == expected.count)
        for (line, text) in zip(lines, expected) { #expect(line.contains("modules may \(text)")) }
    }

    @Test(
        "The kernel is named where it lacks a wall, and the filter around the agent where that refuses one",
        arguments: [(0, "in this kernel"), (-EPERM, "SystemCallFilter=")] as [(Int32, String)])
    func reason(_ answer: Int32, _ expected: String) {
        let lines = WorkerWalls.missing(landlock: answer, callFilter: answer)
        #expect(lines.count == 3)
        for line in lines { #expect(line.contains(expected)) }
    }
}
