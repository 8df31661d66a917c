import AWSNames

@testable import RolesAnywhere

/// The session of the golden vectors.
enum SessionFixture {
    /// 2023-10-01T12:00:00Z.
    static let now: Int64 = 1_696_161_600

    static func scope(role: String = "arn:aws:iam::123456789012:role/test") throws -> SessionScope {
        try SessionScope(
            trustAnchor: ARN("arn:aws:rolesanywhere:eu-west-2:123456789012:trust-anchor/test"),
            profile: ARN("arn:aws:rolesanywhere:eu-west-2:123456789012:profile/test"), role: ARN(role))
    }

    static func request(
        role: String = "arn:aws:iam::123456789012:role/test", endpoint: String? = nil,
        options: SessionOptions? = nil
    ) throws -> CreateSessionRequest {
        CreateSessionRequest(
            scope: try scope(role: role),
            endpoint: try Endpoint.resolve(.rolesAnywhere, region: "eu-west-2", override: endpoint),
            options: try options ?? SessionOptions())
    }
}

extension CreateSessionRequest {
    func draft(keyKind: SigningCertificate.KeyKind = .ec, chain: [String] = []) throws -> CreateSessionDraft {
        draft(
            by: try SigningCertificate(
                der: Array("client-cert".utf8), serial: "5215639076998761095638506031589467414", keyKind: keyKind,
                chain: chain.map { Array($0.utf8) }), at: SessionFixture.now, sha256: testSHA256)
    }
}
