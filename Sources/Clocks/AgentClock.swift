import Glibc

/// The two clocks that an expiry is measured by, and a way to wait; passed in, so that tests can set them.
package struct AgentClock: Sendable {
    /// Milliseconds since 1970 (CLOCK_REALTIME): what the service's times mean, and what an administrator can set.
    package var wall: @Sendable () -> Int64
    /// Milliseconds since boot, time asleep included (CLOCK_BOOTTIME). It cannot be set.
    package var boot: @Sendable () -> Int64
    /// Milliseconds since boot, time asleep left out (CLOCK_MONOTONIC).
    package var awake: @Sendable () -> Int64
    /// Waits this many milliseconds of boot time; throws `CancellationError` when its task is cancelled.
    package var sleep: @Sendable (Int64) async throws -> Void

    /// - Parameter awake: Nil for a machine that never sleeps.
    package init(
        wall: @escaping @Sendable () -> Int64, boot: @escaping @Sendable () -> Int64,
        awake: (@Sendable () -> Int64)? = nil,
        sleep: @escaping @Sendable (Int64) async throws -> Void
    ) {
        self.wall = wall
        self.boot = boot
        self.awake = awake ?? boot
        self.sleep = sleep
    }
}

extension AgentClock {
    /// Runs `body`, and meanwhile `tick` each time that so many milliseconds of boot time have passed, for as long as it
    /// wants more.
    package func ticking<Value>(
        every milliseconds: Int64, _ tick: @escaping @Sendable () async -> Bool,
        isolation: isolated (any Actor)? = #isolation,
        during body: () async -> Value
    ) async -> Value {
        let ticks = Task { [sleep] in  // ends below
            repeat { try await sleep(milliseconds) } while await tick()
        }
        defer { ticks.cancel() }
        return await body()
    }

    package static let system = AgentClock(
        wall: { milliseconds(CLOCK_REALTIME) },
        boot: { milliseconds(CLOCK_BOOTTIME) },
        awake: { milliseconds(CLOCK_MONOTONIC) },
        sleep: { try await Task.sleep(for: .milliseconds($0), clock: .continuous) })

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
