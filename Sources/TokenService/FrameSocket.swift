import Files
import Glibc
import LockedMemory
import SystemPackage

/// A connected stream socket that frames go through. Both ends ignore SIGPIPE.
package struct FrameSocket: Sendable {
    package let descriptor: Int32

    package init(descriptor: Int32) { self.descriptor = descriptor }

    /// A frame, and the secret that came with it.
    package struct Received: Sendable {
        package let header: FrameHeader
        package let body: [UInt8]
        package let secret: HeldSecret?
    }

    /// Waits for a whole frame. The secret goes straight into its locked page.
    ///
    /// - Returns: Nil when the peer is gone.
    /// - Throws: Where it has sent what is no frame. Then, too, the conversation is over.
    package func receive() throws(WireError) -> Received? {
        guard let bytes = read(FrameHeader.length) else { return nil }
        let header = try FrameHeader(bytes)
        guard let body = read(header.bodyLength) else { return nil }
        guard header.secretLength > 0 else { return Received(header: header, body: body, secret: nil) }
        guard var page = SecretBuffer(capacity: header.secretLength, isLocked: true) else { return nil }
        let count = unsafe page.append { room in unsafe read(into: room) ? header.secretLength : 0 }
        return count == 0 ? nil : Received(header: header, body: body, secret: HeldSecret(page))
    }

    /// Ends `receive`, on another thread as well, behind what has come already.
    package func stopReading() { shutdown(descriptor, Int32(SHUT_RD)) }

    /// Writes a whole frame.
    ///
    /// - Parameter isPatient: Whether to wait for a peer that does not read; otherwise that is a failure.
    /// - Returns: Whether all of it went out. After a failure the conversation is over.
    package func send(kind: UInt8, number: UInt32, body: [UInt8], pin: HeldPIN?, isPatient: Bool = true) -> Bool {
        let isSent = send(kind: kind, number: number, body, secretLength: pin?.pin.count ?? 0, isPatient: isPatient)
        guard isSent, let pin else { return isSent }
        return pin.pin.withBytes { write($0, isPatient: isPatient) }
    }

    /// The same with a secret that is no PIN.
    package func send(
        kind: UInt8, number: UInt32, body: [UInt8], secret: HeldSecret? = nil, isPatient: Bool = true
    ) -> Bool {
        let isSent = send(kind: kind, number: number, body, secretLength: secret?.count ?? 0, isPatient: isPatient)
        guard isSent, let secret else { return isSent }
        return secret.withBytes { write($0, isPatient: isPatient) }
    }

    /// Writes all but the secret.
    private func send(kind: UInt8, number: UInt32, _ body: [UInt8], secretLength: Int, isPatient: Bool) -> Bool {
        let header = FrameHeader(kind: kind, secretLength: secretLength, number: number, bodyLength: body.count)
        return unsafe (header.bytes + body).withUnsafeBytes { unsafe write($0, isPatient: isPatient) }
    }

    private func write(_ bytes: Span<UInt8>, isPatient: Bool) -> Bool {
        unsafe bytes.withUnsafeBytes { unsafe write($0, isPatient: isPatient) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, isPatient: Bool) -> Bool {
        let flags = Int32(MSG_NOSIGNAL) | (isPatient ? 0 : Int32(MSG_DONTWAIT))
        var sent = 0
        while sent < bytes.count {
            let count = uninterrupted {
                unsafe Glibc.send(descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent, flags)
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private func read(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let isComplete = unsafe bytes.withUnsafeMutableBytes { unsafe read(into: $0) }
        return isComplete ? bytes : nil
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        var filled = 0
        while filled < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            guard let count = try? unsafe FileDescriptor(rawValue: descriptor).read(into: rest), count > 0 else {
                return false
            }
            filled += count
        }
        return true
    }
}
