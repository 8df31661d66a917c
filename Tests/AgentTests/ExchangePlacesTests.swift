import AgentAPI
import Synchronization
import Testing

@testable import Agent

@Suite("Places for exchanges with services")
struct ExchangePlacesTests {
    /// Exchanges that last until they are told to end.
    private final class Exchanges: Sendable {
        let places: ExchangePlaces
        private let running = Mutex<[String: CheckedContinuation<Void, Never>]>([:])

        init(most: Int, kept: Int) { places = ExchangePlaces(most: most, kept: kept) }

        var names: [String] { running.withLock { $0.keys.sorted() } }

        func begin(_ name: String, _ occasion: Occasion) -> Task<Bool, Never> {
            Task {
                do throws(Problem) {
                    try await places.during(occasion) {
                        await withCheckedContinuation { going in running.withLock { $0[name] = going } }
                    }
                    return true
                } catch {
                    return false
                }
            }
        }

        func end(_ name: String) { running.withLock { $0.removeValue(forKey: name) }?.resume() }
    }

    @Test("The background leaves room for those whom the owner waits for, and each is made in the end")
    func room() async throws {
        let exchanges = Exchanges(most: 4, kept: 1)
        let refreshes = (1...5).map { exchanges.begin("refresh \($0)", $0 == 5 ? .foreign : .background) }
        try await until { exchanges.names.count == 3 && exchanges.places.waiters == 2 }
        let asked = exchanges.begin("asked", .request)
        try await until { exchanges.names.contains("asked") }
        // All places are taken: who comes now waits, and the owner's go before what waits already.
        let second = exchanges.begin("second", .demand)
        try await until { exchanges.places.waiters == 3 }
        let first = exchanges.names.first { $0.hasPrefix("refresh") }
        exchanges.end(first ?? "")
        try await until { exchanges.names.contains("second") }
        #expect(exchanges.places.waiters == 2 && exchanges.names.count == 4)
        let all = refreshes + [asked, second]
        let ended = Task {
            var made = 0
            for task in all { made += await task.value ? 1 : 0 }
            return made
        }
        while exchanges.places.waiters > 0 || !exchanges.names.isEmpty {
            exchanges.names.forEach(exchanges.end)
            await Task.yield()
        }
        #expect(await ended.value == 7)
    }

    @Test("One that is cancelled as it waits takes no place")
    func cancelled() async throws {
        let exchanges = Exchanges(most: 1, kept: 0)
        let first = exchanges.begin("first", .request)
        try await until { exchanges.names == ["first"] }
        let waiting = [Occasion.request, .background].map { exchanges.begin("waiting", $0) }
        try await until { exchanges.places.waiters == 2 }
        for task in waiting { task.cancel() }
        for task in waiting { #expect(await !task.value) }
        #expect(exchanges.places.waiters == 0)
        exchanges.end("first")
        #expect(await first.value)
        let next = exchanges.begin("next", .background)
        try await until { exchanges.names == ["next"] }
        exchanges.end("next")
        #expect(await next.value)
    }
}
