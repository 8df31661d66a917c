import Glibc
import Synchronization
import Testing

@testable import Agent

struct ServiceWatchdogTests {
    @Test(
        "The manager is told in half the time that it waits, where it asks this process",
        arguments: [
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"], 15_000), (["WATCHDOG_USEC": "30000000"], 15_000),
            (["WATCHDOG_USEC": "1", "WATCHDOG_PID": "7"], 1),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"], nil),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": ""], nil), (["WATCHDOG_USEC": "0"], nil),
            (["WATCHDOG_USEC": "-2"], nil), (["WATCHDOG_USEC": "x"], nil), (["WATCHDOG_PID": "7"], nil), ([:], nil),
        ] as [([String: String], Int64?)])
    func period(environment: [String: String], expected: Int64?) {
        #expect(ServiceNotifier(environment: environment, pid: 7).watchdogMilliseconds == expected)
    }

    @Test("The manager is told at once and then once a period, and not while a part of the agent does not answer")
    func silence() async throws {
        let folder = try ServerTestFolder()
        let manager = try ServerServiceManagerTests.bound(
            SOCK_DGRAM, path: folder.path + "/notify", listening: false)
        defer { close(manager) }
        let clock = CredentialClock()
        let (turns, turn) = AsyncStream.makeStream(of: Void.self)
        let asked = Mutex(0)
        let watchdog = ServiceWatchdog(
            notifier: ServiceNotifier(
                environment: ["NOTIFY_SOCKET": folder.path + "/notify", "WATCHDOG_USEC": "10000000"]),
            clock: clock.agentClock,
            answers: {
                asked.withLock { $0 += 1 }
                for await _ in turns { return }
            })
        let running = Task { await watchdog.run() }
        func heard() -> String { ServerServiceManagerTests.receive(manager) }

        while asked.withLock({ $0 }) < 1 { await Task.yield() }
        #expect(heard() == "")
        turn.yield()
        while clock.sleeping == 0 { await Task.yield() }
        #expect(heard() == "WATCHDOG=1")

        clock.move(to: clock.boot + 4999)
        #expect(clock.sleeping == 1)
        clock.move(to: clock.boot + 1)
        while asked.withLock({ $0 }) < 2 { await Task.yield() }
        clock.move(to: clock.boot + 60_000)
        #expect(clock.sleeping == 0)
        #expect(heard() == "")
        turn.yield()
        while clock.sleeping == 0 { await Task.yield() }
        #expect(heard() == "WATCHDOG=1")

        running.cancel()
        await running.value
        #expect(heard() == "")
    }

    @Test("Where the manager does not ask, nothing is looked at") func unasked() async {
        let watchdog = ServiceWatchdog(
            notifier: ServiceNotifier(environment: [:]), clock: CredentialClock().agentClock,
            answers: { Issue.record("it was asked") })
        await watchdog.run()
    }
}
