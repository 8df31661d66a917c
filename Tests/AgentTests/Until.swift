import Testing

/// Lets other tasks run until the condition holds. A test that waits for what never comes fails after a minute.
func until(
    _ sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while try await !condition() {
        try #require(
            ContinuousClock.now < end, "what the test waits for has not come in a minute",
            sourceLocation: sourceLocation)
        await Task.yield()
    }
}
