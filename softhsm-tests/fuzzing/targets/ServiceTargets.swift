import AWSNames
import AgentClient
import HeaderFields
import RolesAnywhere
import ServiceAnswers

extension Target {
    /// What the service answers to CreateSession: credentials for the role that was asked for, which live and do not live too
    /// long; otherwise a reason of one line.
    static let sessions = Target(name: "sessions") { bytes in
        guard let request = Self.request else { fatalError("the request of this target cannot be made") }
        let (choice, rest) = bytes.choice
        let statuses = [200, 201, 400, 401, 403, 404, 429, 500, 503, 302]
        let parts = rest.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false).map { Array($0) }
        var headers = [HeaderField(name: "Content-Type", value: "application/json")]
        for (name, value) in zip(["Retry-After", "Date", "x-amzn-ErrorType"], parts.dropLast()) {
            headers.append(HeaderField(name: name, value: String(decoding: value, as: UTF8.self)))
        }
        let now: Int64 = 1_696_161_600  // 2023-10-01T12:00:00Z
        let answer = ServiceAnswer(
            status: statuses[Int(choice) % statuses.count], headers: headers, body: parts.last ?? [], receivedAt: now)
        do throws(CreateSessionError) {
            let credentials = try CreateSessionResponse.parse(answer, to: request)
            require((200..<300).contains(answer.status), "status \(answer.status)")
            require(credentials.accountID == "123456789012", credentials.accountID ?? "none")
            require((now + 61...now + 4200).contains(credentials.expiration), "\(credentials.expiration)")
            for text in [credentials.accessKeyID, credentials.secretAccessKey, credentials.sessionToken] {
                require(!text.isEmpty && text.utf8.allSatisfy { 0x21...0x7E ~= $0 }, "not printable")
            }
        } catch {
            require(error.message.isOneHarmlessLine && error.message.utf8.count <= 2000, error.message)
            if case .throttled(let seconds?) = error.kind { require((0...600).contains(seconds), "\(seconds)") }
            if case .server(let seconds?) = error.kind { require((0...600).contains(seconds), "\(seconds)") }
        }
    }

    private static let request: CreateSessionRequest? = {
        let start = "arn:aws:rolesanywhere:eu-west-2:123456789012"
        guard let anchor = try? ARN("\(start):trust-anchor/test"), let profile = try? ARN("\(start):profile/test"),
            let role = try? ARN("arn:aws:iam::123456789012:role/test"),
            let scope = try? SessionScope(trustAnchor: anchor, profile: profile, role: role),
            let endpoint = try? Endpoint(override: "https://localhost"), let options = try? SessionOptions()
        else { return nil }
        return CreateSessionRequest(scope: scope, endpoint: endpoint, options: options)
    }()

    /// What the agent answers a client: a head, and a body of credentials or of a problem.
    static let answers = Target(name: "answers") { bytes in
        guard let end = bytes.indices.dropFirst(3).first(where: { bytes[$0 - 3...$0].elementsEqual("\r\n\r\n".utf8) })
        else { return }
        guard let head = try? HTTPHead(bytes.span.extracting(...end)) else { return }
        require(head.bodyStart <= bytes.count && head.bodyLength >= 0, "\(head)")
        require(head.status != 204 || head.bodyLength == 0, "\(head)")
        let body = bytes.span.extracting(min(head.bodyStart, bytes.count)...)
        if (200...299).contains(head.status) {
            _ = try? CredentialAnswer.check(body)
        } else {
            require(ClientFailure(status: head.status, body: body).exit != .done, "\(head)")
        }
    }
}
