/// A deviation from a good answer, on purpose.
package struct Fault: Decodable, Sendable {
    package enum Kind: String, Decodable, Sendable, CaseIterable {
        /// In place of an answer.
        case status, html, garbage, redirect, close, hang
        case hugeBody = "huge-body"
        /// On the way of a good answer.
        case truncated, drip, gzip, delay
        case hugeHeaders = "huge-headers"
        case dateSkew = "date-skew"
        /// In the credentials.
        case emptySet = "empty-set"
        case expiredAnswer = "expired-answer"
        case wrongRole = "wrong-role"
        case missingField = "missing-field"
    }

    package enum Endpoint: String, Decodable, Sendable {
        case sessions, sts, iot
    }

    package let kind: Kind
    /// How many requests it meets; nil for all to come.
    var times: Int?
    var endpoint = Endpoint.sessions
    var status = 503
    var code = "ServiceUnavailableException"
    var message = "injected by the emulator"
    /// Seconds, for the Retry-After header of `status`.
    var retryAfter: Int?
    /// For `date-skew` the offset of the Date header, for `expired-answer` the age of the expiration, for `delay` the wait.
    var seconds: Int?
    /// For `missing-field`: a member of `credentials`.
    var field = "secretAccessKey"
}

extension Fault {
    private enum Key: String, CodingKey {
        case fault, times, on, status, code, message, retryAfter, seconds, field
    }

    package init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        kind = try object.decode(Kind.self, forKey: .fault)
        times = try object.decodeIfPresent(Int.self, forKey: .times)
        endpoint = try object.decodeIfPresent(Endpoint.self, forKey: .on) ?? endpoint
        status = try object.decodeIfPresent(Int.self, forKey: .status) ?? status
        code = try object.decodeIfPresent(String.self, forKey: .code) ?? code
        message = try object.decodeIfPresent(String.self, forKey: .message) ?? message
        retryAfter = try object.decodeIfPresent(Int.self, forKey: .retryAfter)
        seconds = try object.decodeIfPresent(Int.self, forKey: .seconds)
        field = try object.decodeIfPresent(String.self, forKey: .field) ?? field
        guard (200...599).contains(status), abs(seconds ?? 0) <= 1_000_000_000, isHeaderText(code) else {
            throw DecodingError.dataCorruptedError(forKey: .status, in: object, debugDescription: "out of range")
        }
    }

    /// Reads `KIND` or `KIND:ARGUMENT`; the argument is the status, the seconds or the field.
    package init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let first = parts.first, let kind = Kind(rawValue: first) else { return nil }
        self.kind = kind
        guard parts.count == 2 else { return }
        switch kind {
        case .status:
            guard let status = Int(parts[1]), (200...599).contains(status) else { return nil }
            self.status = status
        case .dateSkew, .expiredAnswer, .delay:
            guard let seconds = Int(parts[1]), abs(seconds) <= 1_000_000_000 else { return nil }
            self.seconds = seconds
        case .missingField: field = parts[1]
        default: return nil
        }
    }

    private func isHeaderText(_ text: String) -> Bool { text.utf8.allSatisfy { (0x20..<0x7F).contains($0) } }
}

/// The faults still to come, in order.
struct FaultQueue: Sendable {
    var faults: [Fault] = []

    /// The fault that the next request to an endpoint meets, counted off.
    mutating func take(for endpoint: Fault.Endpoint) -> Fault? {
        guard let index = faults.firstIndex(where: { $0.endpoint == endpoint }) else { return nil }
        let fault = faults[index]
        guard let times = fault.times else { return fault }
        if times > 1 {
            faults[index].times = times - 1
        } else {
            faults.remove(at: index)
        }
        return times > 0 ? fault : take(for: endpoint)
    }
}
