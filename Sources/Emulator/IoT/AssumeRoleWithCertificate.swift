/// The verdict on a request for a role alias's credentials.
///
/// Source: AWS IoT Core developer guide, "Authorizing direct calls to AWS services using AWS IoT Core credential provider".
struct AssumeRoleWithCertificate {
    let resources: Resources
    let now: UTCTime

    func session(_ request: ReceivedRequest) throws(IoTRefusal) -> IssuedSession {
        let segments = request.path.split(separator: "/", omittingEmptySubsequences: false)
        guard request.method == "GET", segments.count == 4, segments[0].isEmpty, segments[1] == "role-aliases",
            segments[3] == "credentials", let name = PercentEncoding.decode(segments[2])
        else { throw .notFound }
        guard let peer = request.peer else { throw .denied("the client showed no certificate") }
        let id = Hex.encode(Digest.sha256(peer.certificate))
        guard let certificate = resources.iot.certificates.first(where: { $0.id == id }) else {
            throw .denied("the certificate is not registered")
        }
        guard certificate.isActive else { throw .denied("the certificate is inactive") }
        try checkThing(request, certificate)

        let alias = String(decoding: name, as: UTF8.self)
        guard let known = resources.iot.roleAliases.first(where: { $0.name == alias }) else {
            throw .denied("there is no such role alias")
        }
        guard certificate.aliases.contains(alias) else {
            throw .denied("no policy of the certificate allows iot:AssumeRoleWithCertificate for this role alias")
        }
        guard let role = resources.role(known.roleARN) else { throw .denied("the role alias names no role") }
        return IssuedSession(
            CallerIdentity(
                arn: assumedARN(role.name, id), userID: assumedID(role.name, id), account: role.name.account),
            expiration: now.advanced(by: known.durationSeconds),
            attributes: SessionAttributes(roleARN: role.name.text))
    }

    /// The header may be left out; a thing that it names must be attached to the certificate.
    private func checkThing(
        _ request: ReceivedRequest, _ certificate: IoTResources.Certificate
    ) throws(IoTRefusal) {
        let things = request.values(of: "x-amzn-iot-thingname")
        guard let thing = things.first else { return }
        guard things.count == 1, certificate.things.contains(thing) else {
            throw .denied("the thing is not attached to the certificate")
        }
    }
}

/// A refusal. The service tells no reason, which is for `/_emulator/last` alone.
struct IoTRefusal: Error {
    let status: Int
    let message: String
    let detail: String

    /// As public reports quote it (awslabs/amazon-kinesis-video-streams-webrtc-sdk-c issue #206, with a `traceId`).
    static let notFound = IoTRefusal(status: 404, message: "Not Found", detail: "no operation has this path")

    static func denied(_ detail: String) -> IoTRefusal {
        IoTRefusal(status: 403, message: "Access Denied", detail: detail)
    }

    var answer: Answer { .json(["message": message, "traceId": UUIDText.random()], status: status) }
}

/// The JSON of a 200. A fault may leave members out.
struct IoTAnswer: Encodable {
    typealias Credentials = CreateSessionAnswer.Credentials

    var credentials: Credentials?

    init(_ session: IssuedSession) {
        credentials = Credentials(
            accessKeyId: session.accessKeyID, secretAccessKey: session.secretAccessKey,
            sessionToken: session.sessionToken, expiration: session.expiration.extended)
    }
}
