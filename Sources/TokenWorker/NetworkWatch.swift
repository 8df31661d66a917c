import CLinux
import Dispatch
import Synchronization
import TokenService

/// Whether the module has asked for the network that it does not have.
final class NetworkWatch: Sendable {
    private let refused = Atomic(false)
    private let channel: AgentChannel

    /// - Parameter channel: Tells of it where something has failed.
    init(_ channel: AgentChannel) { self.channel = channel }

    var wasRefused: Bool { refused.load(ordering: .relaxed) }

    /// Refuses the sockets that the kernel asks about, on a thread of its own until the process ends.
    func start(listener: Int32) {
        DispatchQueue(label: "refused sockets").async {
            var number: UInt64 = 0
            while unsafe clinux_await_socket(listener, &number) == 0 {
                self.note()
                _ = clinux_refuse_socket(listener, number)  // who does not wait any more needs no answer
            }
        }
    }

    private func note() {
        guard !refused.exchange(true, ordering: .relaxed) else { return }
        channel.remarkOnFailures(
            "; it asked for the network, which it does not have: if it needs it, write network = true")
    }
}
