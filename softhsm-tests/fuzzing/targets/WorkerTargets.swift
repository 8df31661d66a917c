import Glibc
import TokenService

extension Target {
    /// What the agent tells a worker: a request that is read is written as the same again.
    static let requests = Target(name: "requests") { bytes in
        let (kind, body) = bytes.choice
        guard let request = try? Request(kind: kind, body: body) else { return }
        require(request.kind == kind, "kind \(kind)")
        require((try? Request(kind: kind, body: request.body)) == request, "\(request)")
        require(request.body.count <= body.count, "\(request)")
    }

    /// What a worker tells the agent.
    static let replies = Target(name: "replies") { bytes in
        let (kind, body) = bytes.choice
        check(reply: body, kind: kind)
    }

    /// What the watcher of card readers tells the agent.
    static let reports = Target(name: "reports") { bytes in check(reply: bytes, kind: 146) }

    private static func check(reply body: [UInt8], kind: UInt8) {
        guard let reply = try? Reply(kind: kind, body: body) else { return }
        require(reply.kind == kind, "kind \(kind)")
        require((try? Reply(kind: kind, body: reply.body)) == reply, "\(reply)")
        require(reply.body.count <= body.count, "\(reply)")
    }

    /// Points of EC keys, in any way that tokens write them: bare, compressed or in an OCTET STRING they are one key.
    static let points = Target(name: "points") { bytes in
        guard let value = PublicKeyValue(point: bytes), case .ec(let point) = value else { return }
        require(PublicKeyValue(point: point) == value, "\(point)")
        require(PublicKeyValue(point: [0x04, UInt8(point.count)] + point) == value, "\(point)")
        require(PublicKeyValue(point: [0x04, 0x81, UInt8(point.count)] + point) == value, "\(point)")
        require([33, 49, 67].contains(point.count) && 2...3 ~= point[0], "\(point)")
    }

    /// What comes through the socket, in pieces and with secrets: frames are written as the same again.
    static let frames = Target(name: "frames") { bytes in
        var ends: [Int32] = [0, 0]
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { return }
        defer { close(ends[1]) }
        // All of it fits into the socket's buffer: libFuzzer makes no longer input here.
        require(unsafe write(ends[0], bytes, bytes.count) == bytes.count, "the socket is full")
        close(ends[0])
        let socket = FrameSocket(descriptor: ends[1])
        var again: [UInt8] = []
        while let frame = try? socket.receive() {
            require(frame.body.count == frame.header.bodyLength, "\(frame.header)")
            again += frame.header.bytes + frame.body
            guard let secret = frame.secret else {
                require(frame.header.secretLength == 0, "\(frame.header)")
                continue
            }
            require(secret.count == Int(frame.header.secretLength), "\(frame.header)")
            secret.withBytes { bytes in again += bytes.indices.map { bytes[$0] } }
        }
        require(bytes.starts(with: again), "another frame than was sent")
    }
}
