import Files
import Glibc
import LockedMemory
import SystemPackage

/// A connected stream socket that frames go through. Both ends ignore SIGPIPE.
package struct FrameSocket: Sendable {
    package let descriptor: Int32

    package init(descriptor: Int32) { self.descriptor = descriptor }

    /// A frame, and the PIN that came with it.
    package struct Received: Sendable {
        package let header: FrameHeader
        package let body: [UInt8]
        package let secret: HeldPIN?
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
        let secret = try? unsafe HeldPIN(
            PIN(mayHoldControlBytes: true) { (page) throws(PINError) in
                guard unsafe read(into: UnsafeMutableRawBufferPointer(rebasing: page[..<header.secretLength])) else {
                    throw .unreadable(errno: EPIPE)
                }
                return header.secretLength
            })
        return secret.map { Received(header: header, body: body, secret: $0) }
    }

    /// Writes a whole frame.
    ///
    /// - Parameter isPatient: Whether to wait for a peer that does not read; otherwise that is a failure.
    /// - Returns: Whether all of it went out. After a failure the conversation is over.
    package func send(
        kind: UInt8, number: UInt32, body: [UInt8], secret: HeldPIN? = nil, isPatient: Bool = true
    ) -> Bool {
        let header = FrameHeader(
            kind: kind, secretLength: secret?.pin.count ?? 0, number: number, bodyLength: body.count)
        let isSent = unsafe (header.bytes + body).withUnsafeBytes { unsafe write($0, isPatient: isPatient) }
        guard isSent, let secret else { return isSent }
        return secret.pin.withBytes { pin in unsafe pin.withUnsafeBytes { unsafe write($0, isPatient: isPatient) } }
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
