import AWSNames
import HeaderFields
import STS
import ServiceAnswers

/// Answers in the shape of the STS API reference's examples.
enum STSAnswers {
    /// 2023-10-01T12:00:00Z.
    static let now: Int64 = 1_696_161_600

    static func request(
        role: String = "arn:aws:iam::123456789012:role/path/demo", options: AssumeRoleOptions? = nil
    ) throws -> AssumeRoleRequest {
        try AssumeRoleRequest(
            role: ARN(role, as: .role), sessionName: "TestAR", options: options ?? AssumeRoleOptions(),
            service: STSService(region: "eu-west-2"))
    }

    static let assumed = """
        <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
          <AssumeRoleResult>
          <SourceIdentity>Alice</SourceIdentity>
            <AssumedRoleUser>
              <Arn>arn:aws:sts::123456789012:assumed-role/demo/TestAR</Arn>
              <AssumedRoleId>ARO123EXAMPLE123:TestAR</AssumedRoleId>
            </AssumedRoleUser>
            <Credentials>
              <AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>
              <SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY</SecretAccessKey>
              <SessionToken>AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGd==</SessionToken>
              <Expiration>2023-10-01T13:00:00Z</Expiration>
            </Credentials>
            <PackedPolicySize>6</PackedPolicySize>
          </AssumeRoleResult>
          <ResponseMetadata>
            <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>
          </ResponseMetadata>
        </AssumeRoleResponse>
        """

    static func refusal(_ code: String, _ message: String) -> String {
        """
        <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
          <Error>
            <Type>Sender</Type>
            <Code>\(code)</Code>
            <Message>\(message)</Message>
          </Error>
          <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>
        </ErrorResponse>
        """
    }

    static func answer(
        _ body: String, status: Int = 200, type: String = "text/xml", headers: [HeaderField] = []
    ) -> ServiceAnswer {
        ServiceAnswer(
            status: status, headers: [HeaderField(name: "Content-Type", value: type)] + headers,
            body: Array(body.utf8), receivedAt: now)
    }
}
