package import JSON

/// One answer of a service, while it is read.
package struct ServiceReading<Refusal: ServiceRefusal> {
    package let answer: ServiceAnswer
    /// The service's name for what was asked.
    package let operation: String

    package init(_ answer: ServiceAnswer, of operation: String) {
        self.answer = answer
        self.operation = operation
    }

    /// - Parameter requestID: Where it is no header.
    package func error(
        _ kind: ServiceError<Refusal>.Kind, code: String? = nil, message: String? = nil, requestID: String? = nil
    ) -> ServiceError<Refusal> {
        ServiceError(
            operation: operation, kind: kind, status: answer.status, code: code, serviceMessage: message,
            requestID: requestID ?? answer.requestID, clockSkew: answer.clockSkew)
    }

    /// The body of a good answer of a JSON service.
    package func json() throws(ServiceError<Refusal>) -> JSONValue {
        guard answer.declaresJSON else { throw error(.foreign) }
        guard let json = answer.json else { throw error(.malformed(field: "the JSON text")) }
        return json
    }

    /// The credentials that a JSON service gives in this object; see `IssuedCredentials.checked`.
    package func credentials(
        in object: JSONValue?, durationSeconds: Int, accountID: String?
    ) throws(ServiceError<Refusal>) -> SessionCredentials {
        let issued = IssuedCredentials(
            accessKeyID: object?["accessKeyId"]?.text, secretAccessKey: object?["secretAccessKey"]?.text,
            sessionToken: object?["sessionToken"]?.text, expiration: object?["expiration"]?.text)
        return try checked(issued, durationSeconds: durationSeconds, accountID: accountID) { "credentials.\($0)" }
    }

    /// - Parameter name: Where the answer has a member.
    package func checked(
        _ issued: IssuedCredentials, durationSeconds: Int, accountID: String?, name: (String) -> String
    ) throws(ServiceError<Refusal>) -> SessionCredentials {
        do throws(IssuedCredentials.Fault) {
            return try issued.checked(
                durationSeconds: durationSeconds, receivedAt: answer.receivedAt, accountID: accountID)
        } catch {
            switch error {
            case .expired: throw self.error(.expiredAnswer)
            case .malformed(let member): throw self.error(.malformed(field: name("\(member)")))
            }
        }
    }
}
