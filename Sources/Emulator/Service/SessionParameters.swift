import FoundationEssentials

/// The parameters of a CreateSession request, from its query and its body.
struct SessionParameters {
    let trustAnchorARN: String
    let profileARN: String
    let roleARN: String
    let durationSeconds: Int?
    let roleSessionName: String?
    let instanceProperties: [String: String]

    private struct Body: Decodable {
        let trustAnchorArn: String?
        let profileArn: String?
        let roleArn: String?
        let durationSeconds: Int?
        let roleSessionName: String?
        let instanceProperties: [String: String]?
    }

    init(_ request: ReceivedRequest) throws(Refusal) {
        let type = request.value(of: "content-type")?.prefix { $0 != ";" }.lowercased()
        guard request.body.isEmpty || type == "application/json" else { throw .notJSON }
        let body: Body
        do {
            let text = request.body.isEmpty ? Array("{}".utf8) : request.body
            body = try JSONDecoder().decode(Body.self, from: Data(text))
        } catch {
            throw .unreadableBody
        }
        let query = FormFields(request.query, plusIsSpace: false)
        if let name = query.repeatedName { throw .repeated(name) }
        trustAnchorARN = try Self.required("trustAnchorArn", query["trustAnchorArn"], body.trustAnchorArn)
        profileARN = try Self.required("profileArn", query["profileArn"], body.profileArn)
        roleARN = try Self.required("roleArn", query["roleArn"], body.roleArn)
        durationSeconds = body.durationSeconds
        roleSessionName = body.roleSessionName
        instanceProperties = body.instanceProperties ?? [:]
    }

    /// The guide takes the ARNs "as URI parameters or as JSON"; which wins is not said, so they must agree.
    private static func required(
        _ member: String, _ inQuery: String?, _ inBody: String?
    ) throws(Refusal) -> String {
        if let inQuery, let inBody, inQuery != inBody { throw .repeated(member) }
        guard let value = inQuery ?? inBody else { throw .invalid(nil, at: member, "not be null") }
        guard ResourceName(value) != nil else {
            throw .invalid(value, at: member, "satisfy regular expression pattern: ^arn:aws(-[^/]+)?:.*$")
        }
        return value
    }
}
