extension Fault {
    /// What is sent without looking at the request; nil for faults that need a good answer to spoil.
    func replacement() -> Answer? {
        switch kind {
        case .status:
            var answer = Answer.json(["message": message], status: status)
            answer.headers.append(("x-amzn-ErrorType", code))
            if let retryAfter { answer.headers.append(("Retry-After", String(retryAfter))) }
            return answer
        case .html:
            return .text(
                "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>Please log in.</body></html>\n",
                type: "text/html", status: 200)
        case .garbage:
            return Answer(
                status: 201, headers: [("Content-Type", "application/json")], body: Array("{\"credentialSet\":[{".utf8))
        case .redirect:
            return Answer(status: 307, headers: [("Location", "/_emulator/redirected")], body: [])
        case .close: return Answer(status: 200, headers: [], body: [], delivery: .close)
        case .hang: return Answer(status: 200, headers: [], body: [], delivery: .hang)
        case .hugeBody:
            return Answer(
                status: 201, headers: [("Content-Type", "application/json")], body: [],
                delivery: .endless(byteCount: 1 << 30))
        case .truncated, .drip, .gzip, .hugeHeaders, .dateSkew, .emptySet, .expiredAnswer, .wrongRole, .missingField:
            return nil
        }
    }

    /// Spoils the content of a good answer.
    func spoil(_ answer: inout CreateSessionAnswer, at now: UTCTime) {
        switch kind {
        case .emptySet: answer.credentialSet = []
        case .expiredAnswer:
            answer.credentialSet[0].credentials.expiration = now.advanced(by: -(seconds ?? 60)).extended
        case .wrongRole:
            answer.credentialSet[0].roleArn += "-of-somebody-else"
            answer.credentialSet[0].assumedRoleUser.arn = answer.credentialSet[0].assumedRoleUser.arn
                .replacingLastComponent(before: "/", adding: "-of-somebody-else")
        case .missingField:
            switch field {
            case "accessKeyId": answer.credentialSet[0].credentials.accessKeyId = nil
            case "sessionToken": answer.credentialSet[0].credentials.sessionToken = nil
            case "expiration": answer.credentialSet[0].credentials.expiration = nil
            default: answer.credentialSet[0].credentials.secretAccessKey = nil
            }
        default: break
        }
    }

    /// Spoils the way of a good answer.
    func spoil(_ answer: inout Answer) {
        switch kind {
        case .truncated: answer.delivery = .truncated
        case .drip: answer.delivery = .drip
        case .gzip:
            answer.headers.append(("Content-Encoding", "gzip"))
            answer.body = Gzip.store(answer.body)
        case .hugeHeaders:
            let padding = String(repeating: "x", count: 8000)
            answer.headers += (0..<128).map { ("X-Padding-\($0)", padding) }
        default: break
        }
    }
}

extension String {
    /// `a/role/session` becomes `a/role-added/session`.
    fileprivate func replacingLastComponent(before separator: Character, adding suffix: String) -> String {
        guard let index = lastIndex(of: separator) else { return self }
        return self[..<index] + suffix + self[index...]
    }
}
