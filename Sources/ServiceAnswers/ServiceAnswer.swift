import Encodings
package import HeaderFields
package import JSON
import PlainText
import UTCTime

/// An HTTP answer, whole.
package struct ServiceAnswer: Hashable, Sendable {
    package let status: Int
    package let headers: [HeaderField]
    package let body: [UInt8]
    /// This machine's time in seconds since 1970 when it came.
    package let receivedAt: Int64

    package init(status: Int, headers: [HeaderField], body: [UInt8], receivedAt: Int64) {
        self.status = status
        self.headers = headers
        self.body = body
        self.receivedAt = receivedAt
    }

    /// The body as JSON, `nil` if it is something else, names a type that is not JSON, or has more than 256 KiB.
    package var json: JSONValue? {
        guard declaresJSON else { return nil }
        // "Not JSON" is all that the caller says of it.
        return try? JSONValue(body.span, limits: JSONLimits(bytes: 262_144, depth: 16, values: 1000))
    }

    package var declaresJSON: Bool {
        guard let type = headers.value(of: "Content-Type")?.prefix(while: { $0 != ";" }).lowercased() else {
            return false
        }
        let bare = type.filter { $0 != " " }
        return bare == "application/json" || bare.hasPrefix("application/x-amz-json-")
            || (bare.hasPrefix("application/") && bare.hasSuffix("+json"))
    }

    /// The words of a JSON service: one line, at most 300 characters.
    package var words: String? {
        let json = json
        return (json?["message"]?.text ?? json?["Message"]?.text).map { PlainText.message($0, longest: 300) }
    }

    /// For AWS support, as JSON services send it.
    package var requestID: String? {
        headers.value(of: "x-amzn-RequestId").map { PlainText.message($0, longest: 64) }
    }

    /// From the Date header.
    package var clockSkew: ClockSkew? {
        headers.value(of: "Date").flatMap { ClockSkew(dateHeader: $0, now: receivedAt) }
    }

    /// RFC 9110 §10.2.3, seconds or a date; at most ten minutes, so that no answer can stop us for longer.
    package var retryAfterSeconds: Int? {
        guard let text = headers.value(of: "Retry-After") else { return nil }
        if (1...9).contains(text.utf8.count), text.utf8.allSatisfy(\.isDigit), let seconds = Int(text) {
            return min(seconds, 600)
        }
        guard let date = UTCTime(httpDate: text)?.secondsSince1970 else { return nil }
        let (wait, overflow) = date.subtractingReportingOverflow(receivedAt)
        return overflow ? nil : Int(min(max(wait, 0), 600))
    }
}
