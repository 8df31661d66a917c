import CSystemd
import Dispatch
import Encodings
import Glibc
import Synchronization

/// The desktop of the agent's own user, which shows what a person is to do: org.freedesktop.Notifications on the session
/// bus.
///
/// Any program of that user may be at the other end, so no text has a secret in it.
package final class Desktop: Sendable {
    private let address: String?
    private let lastFailure = Mutex<String?>(nil)

    /// - Parameter address: Of the session's bus; nil where there is none.
    package init(address: String?) { self.address = address }

    /// Why nothing can be shown, in one line, as far as it is known without trying.
    package var failure: String? {
        guard let address, Self.isThere(address) else { return "there is no session bus" }
        return lastFailure.withLock(\.self)
    }

    /// Shows a text until the task is cancelled. Where that cannot be done, `failure` says why.
    package func show(_ title: String, _ body: String) async {
        guard let address else { return }
        let over = DispatchSemaphore(value: 0)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                DispatchQueue(label: "desktop").async {
                    self.show(title, body, on: address, until: over)
                    continuation.resume()
                }
            }
        } onCancel: {
            over.signal()
        }
    }

    /// The connection stays until the end: some desktops take back what a program has shown that leaves the bus.
    private func show(_ title: String, _ body: String, on address: String, until over: DispatchSemaphore) {
        guard Self.isThere(address), over.wait(timeout: .now()) == .timedOut else { return }
        if let reason = unsafe csystemd_load() { return note(unsafe String(cString: reason)) }
        do throws(MessageBus.Failure) {
            let bus = try MessageBus(address: address)
            let id = try bus.notify(title, body)
            note(nil)
            over.wait()
            try? bus.closeNotification(id)  // the person has taken it away, or the desktop has ended
        } catch  where error.errno == EHOSTUNREACH {
            note("no program on the session bus shows notifications")
        } catch {
            note("the session bus: \(error)")
        }
    }

    private func note(_ failure: String?) { lastFailure.withLock { $0 = failure } }

    /// Whether an address of D-Bus may lead to a bus: no program is started for it, and a socket's file must exist.
    static func isThere(_ address: String) -> Bool {
        guard address.hasPrefix("unix:"), !address.holds(text: "unixexec:") else { return false }
        let keys = address.dropFirst(5).prefix { $0 != ";" }.split(separator: ",")
        guard let path = keys.first(where: { $0.hasPrefix("path=") })?.dropFirst(5), !path.contains("%") else {
            return true
        }
        return unsafe access(String(path), F_OK) == 0
    }
}
