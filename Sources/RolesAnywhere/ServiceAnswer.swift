import JSON
import PlainText

/// What came back over HTTP, whole.
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
    var json: JSONValue? {
        guard declaresJSON else { return nil }
        // The reason is of no use to whoever reads "not JSON".
        return try? JSONValue(body.span, limits: JSONLimits(bytes: 262_144, depth: 16, values: 1000))
    }

    var declaresJSON: Bool {
        guard let type = headers.value(of: "Content-Type")?.prefix(while: { $0 != ";" }).lowercased() else {
            return false
        }
        let bare = type.filter { $0 != " " }
        return bare == "application/json" || bare.hasPrefix("application/x-amz-json-")
            || (bare.hasPrefix("application/") && bare.hasSuffix("+json"))
    }

    func error(_ kind: ServiceError.Kind, code: String? = nil, message: String? = nil) -> ServiceError {
        let requestID = headers.value(of: "x-amzn-RequestId").map { PlainText.message($0, longest: 64) }
        let skew = headers.value(of: "Date").flatMap { ClockSkew(dateHeader: $0, now: receivedAt) }
        return ServiceError(
            kind: kind, status: status, code: code, serviceMessage: message, requestID: requestID, clockSkew: skew)
    }
}
