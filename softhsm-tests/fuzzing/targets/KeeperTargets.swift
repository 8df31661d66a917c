import KeeperService

extension Target {
    /// What the agent asks of a keeper: a request that is read is written as the same again.
    static let keeperRequests = Target(name: "keeper-requests") { bytes in
        guard let request = try? KeeperRequest(bytes) else { return }
        require(request.bytes == bytes, "\(request)")
        require((try? KeeperRequest(request.bytes)) == request, "\(request)")
    }

    /// What a keeper answers, which has read hostile files and calls a hostile module.
    static let keeperReplies = Target(name: "keeper-replies") { bytes in
        guard let reply = try? KeeperReply(bytes) else { return }
        require(reply.bytes == bytes, "\(reply)")
        require((try? KeeperReply(reply.bytes)) == reply, "\(reply)")
    }
}
