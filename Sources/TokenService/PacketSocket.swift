import Files
import Glibc

/// A connected SOCK_SEQPACKET socket, on which each packet is a frame without a secret (unix(7)).
///
/// Of several threads that wait for a packet the kernel wakes one, and gives each packet to one of them, first in, first
/// out: it needs no thread of ours that reads and hands on.
package struct PacketSocket: Sendable {
    package let descriptor: Int32

    /// The longest packet, header included, in bytes: more than any request for a signature takes.
    package static let longest = 128 << 10

    package init(descriptor: Int32) { self.descriptor = descriptor }

    /// What became of a frame.
    package enum Sending: Hashable, Sendable {
        case sent
        /// It is too long, or so much waits already that the kernel takes no more. The connection is as it was.
        case refused
        /// The peer is gone.
        case ended
    }

    /// Sends a frame. It does not wait.
    package func send(kind: UInt8, number: UInt32, body: [UInt8]) -> Sending {
        let header = FrameHeader(kind: kind, secretLength: 0, number: number, bodyLength: body.count)
        let packet = header.bytes + body
        guard packet.count <= Self.longest else { return .refused }
        let sent = uninterrupted {
            unsafe packet.withUnsafeBytes { bytes in
                unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
        }
        if sent == packet.count { return .sent }
        return [EAGAIN, EMSGSIZE, ENOBUFS, ENOMEM].contains(errno) ? .refused : .ended
    }
}

/// One thread's way to read packets, with the room for the longest.
@safe package struct PacketReader: ~Copyable {
    private let socket: PacketSocket
    /// Not touched where no packet has come: it takes the memory of the longest one that was read.
    private let room: UnsafeMutableRawBufferPointer

    package init(_ socket: PacketSocket) {
        self.socket = socket
        unsafe room = .allocate(byteCount: PacketSocket.longest, alignment: 16)
    }

    deinit { unsafe room.deallocate() }

    /// Waits for a frame.
    ///
    /// - Returns: Nil when the peer is gone.
    /// - Throws: Where it has sent what is no frame, or one with a secret.
    package func receive() throws(WireError) -> (header: FrameHeader, body: [UInt8])? {
        let count = uninterrupted { unsafe Glibc.read(socket.descriptor, room.baseAddress, room.count) }
        guard count > 0 else { return nil }
        let packet = unsafe UnsafeRawBufferPointer(rebasing: room[..<count])
        guard count >= FrameHeader.length else { throw .truncated }
        let header = try unsafe FrameHeader(packet[..<FrameHeader.length])
        guard header.secretLength == 0, header.bodyLength == count - FrameHeader.length else { throw .badValue }
        return unsafe (header, Array(packet[FrameHeader.length...]))
    }
}
