import CLinux
import Dispatch
import Synchronization

/// Whether the module has asked for the network that it does not have.
final class NetworkWatch: Sendable {
    private let refused = Atomic(false)

    /// Behind the text of a failure.
    static let advice = "; it asked for the network, which it does not have: if it needs it, write network = true"

    var wasRefused: Bool { refused.load(ordering: .relaxed) }

    /// Refuses the sockets that the kernel asks about, on a thread of its own until the process ends.
    func start(listener: Int32) {
        DispatchQueue(label: "refused sockets").async {
            var number: UInt64 = 0
            while unsafe clinux_await_socket(listener, &number) == 0 {
                self.refused.store(true, ordering: .relaxed)
                _ = clinux_refuse_socket(listener, number)  // who does not wait any more needs no answer
            }
        }
    }
}
