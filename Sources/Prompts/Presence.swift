import Synchronization

/// Whether the peer that has asked for a change is still there: one that has hung up gets none that was not begun before.
///
/// It travels with the task that carries the request out.
package final class Presence: Sendable {
    @TaskLocal package static var current: Presence?

    private let hasHungUp = Atomic(false)

    package init() {}

    package var isOver: Bool { hasHungUp.load(ordering: .relaxed) }

    package func end() { hasHungUp.store(true, ordering: .relaxed) }
}
