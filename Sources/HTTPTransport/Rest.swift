import CLinux
import Dispatch
import Synchronization

/// Gives back what exchanges leave in memory: the agent has one in half an hour, and code of some 30 libraries for it.
enum Rest {
    private static let exchanges = Atomic(0)

    /// After a second without another exchange.
    static func begin() {
        let count = exchanges.add(1, ordering: .relaxed).newValue
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(1)) {
            if exchanges.load(ordering: .relaxed) == count { clinux_rest(.max) }
        }
    }
}
