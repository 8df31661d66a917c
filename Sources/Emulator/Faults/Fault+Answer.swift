extension Fault {
    /// The answer in place of a judgement of the request; nil for faults that spoil a good answer.
    func replacement(for endpoint: Endpoint) -> Answer? {
        let isXML = endpoint == .sts
        switch kind {
        case .status:
            var answer = Answer.json(["message": message], status: status)
            answer.headers.append(("x-amzn-ErrorType", code))
            if endpoint == .iot {
                answer = IoTRefusal(status: status, message: message, detail: "").answer
            }
            if isXML {
                let error = STSError(status: status, code: code, message: message)
                answer = .text(error.xml, type: "text/xml", status: status)
            }
            if let retryAfter { answer.headers.append(("Retry-After", String(retryAfter))) }
            return answer
        case .html:
            return .text(
                "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>Please log in.</body></html>\n",
                type: "text/html", status: 200)
        case .garbage where isXML:
            return .text("<AssumeRoleResponse><AssumeRoleResult><Credentials", type: "text/xml", status: 200)
        case .garbage:
            return Answer(
                status: endpoint == .iot ? 200 : 201, headers: [("Content-Type", "application/json")],
                body: Array((endpoint == .iot ? "{\"credentials\":{" : "{\"credentialSet\":[{").utf8))
        case .redirect:
            return Answer(status: 307, headers: [("Location", "/_emulator/redirected")], body: [])
        case .close: return Answer(status: 200, headers: [], body: [], delivery: .close)
        case .hang: return Answer(status: 200, headers: [], body: [], delivery: .hang)
        case .hugeBody:
            return Answer(
                status: endpoint == .sessions ? 201 : 200,
                headers: [("Content-Type", isXML ? "text/xml" : "application/json")],
                body: [],
                delivery: .endless(byteCount: 1 << 30))
        case .truncated, .drip, .gzip, .delay, .hugeHeaders, .dateSkew, .emptySet, .expiredAnswer, .wrongRole,
            .missingField:
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
            answer.credentialSet[0].credentials.remove(field)
        default: break
        }
    }

    /// Spoils the content of a good answer of IoT, which names no role.
    func spoil(_ answer: inout IoTAnswer, at now: UTCTime) {
        switch kind {
        case .emptySet: answer.credentials = nil
        case .expiredAnswer: answer.credentials?.expiration = now.advanced(by: -(seconds ?? 60)).extended
        case .missingField: answer.credentials?.remove(field)
        default: break
        }
    }

    /// Spoils the content of a good answer of STS.
    func spoil(_ answer: inout STSAnswer, at now: UTCTime) {
        switch kind {
        case .expiredAnswer: answer.expiration = now.advanced(by: -(seconds ?? 60)).extended
        case .wrongRole:
            guard let role = answer.assumedRole else { return }
            answer.assumedRole = CallerIdentity(
                arn: role.arn.replacingLastComponent(before: "/", adding: "-of-somebody-else"), userID: role.userID,
                account: role.account)
        case .emptySet: (answer.accessKeyID, answer.secretAccessKey, answer.sessionToken) = (nil, nil, nil)
        case .missingField:
            switch field {
            case "accessKeyId": answer.accessKeyID = nil
            case "sessionToken": answer.sessionToken = nil
            case "expiration": answer.expiration = nil
            default: answer.secretAccessKey = nil
            }
        default: break
        }
    }

    /// Spoils the delivery of a good answer.
    func spoil(_ answer: inout Answer) {
        switch kind {
        case .truncated: answer.delivery = .truncated
        case .drip: answer.delivery = .drip
        case .delay: answer.delayMilliseconds += Int64(seconds ?? 1) * 1000
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

/// A gzip member with one stored block (RFC 1952, RFC 1951 §3.2.4): packed in form only.
enum Gzip {
    /// - Parameter bytes: At most 65,535; more is cut off.
    static func store(_ bytes: [UInt8]) -> [UInt8] {
        let bytes = Array(bytes.prefix(65_535))
        let length = UInt16(bytes.count)
        var member: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1]
        member += littleEndian(length) + littleEndian(~length) + bytes
        return member + littleEndian(crc32(bytes)) + littleEndian(UInt32(bytes.count))
    }

    private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        (0..<(number.bitWidth / 8)).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var remainder = UInt32.max
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1 }
        }
        return ~remainder
    }
}
