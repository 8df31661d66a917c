import Clocks
import Synchronization

/// The part of the cache that answers at once, on any thread: sessions that need no refresh before they are handed out.
package final class PublishedCredentials: Sendable {
    private struct Slot {
        let session: CachedCredentials
        /// Until this boot time the shortest validity will do, because the service gives nothing better.
        var lenientUntil: Int64
        var isUsed: Bool

        func isReady(at now: Moment) -> Bool { session.validity.isReady(at: now, lenientUntil: lenientUntil) }
    }

    private let clock: AgentClock
    private let slots = Mutex<[ProfileName: Slot]>([:])

    init(clock: AgentClock) { self.clock = clock }

    /// The profile's credentials, if no caller needs to wait for better ones; marks the profile as used, so that it is
    /// refreshed in the background. Never waits: well below a microsecond.
    package func ready(_ profile: ProfileName) -> CachedCredentials? {
        let now = clock.now()
        return slots.withLock { slots in
            guard let slot = slots[profile], slot.isReady(at: now) else { return nil }
            if !slot.isUsed { slots[profile]?.isUsed = true }
            return slot.session
        }
    }

    /// Whether there is a session, good enough or not.
    func holds(_ profile: ProfileName) -> Bool { slots.withLock { $0[profile] != nil } }

    func publish(_ session: CachedCredentials?, for profile: ProfileName, lenientUntil: Int64) {
        slots.withLock { slots in
            guard let session else { return slots[profile] = nil }
            let isUsed = slots[profile].map { $0.session === session && $0.isUsed } ?? false
            slots[profile] = Slot(session: session, lenientUntil: lenientUntil, isUsed: isUsed)
        }
    }

    func markUsed(_ profile: ProfileName) { slots.withLock { $0[profile]?.isUsed = true } }

    func isUsed(_ profile: ProfileName) -> Bool { slots.withLock { $0[profile]?.isUsed == true } }
}
