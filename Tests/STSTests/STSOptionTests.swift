import AWSNames
import STS
import Testing

@Suite struct STSOptionTests {
    private struct Refused: Sendable {
        let message: String
        let make: @Sendable () throws -> AssumeRoleOptions

        init(_ message: String, _ make: @escaping @Sendable () throws -> AssumeRoleOptions) {
            self.message = message
            self.make = make
        }
    }

    private static let refused = [
        Refused("session-duration-seconds 899: give 900 to 43200") { try AssumeRoleOptions(durationSeconds: 899) },
        Refused("session-duration-seconds 43201: give 900 to 43200") { try AssumeRoleOptions(durationSeconds: 43_201) },
        Refused("policy is no JSON object (byte 1)") { try AssumeRoleOptions(policy: "{") },
        Refused("policy is no JSON object (byte 0)") { try AssumeRoleOptions(policy: "[]") },
        Refused("policy-arns 'arn:aws:iam::111122223333:role/x': give arn:PARTITION:iam::ACCOUNT:policy/NAME") {
            try AssumeRoleOptions(policyARNs: ["arn:aws:iam::111122223333:role/x"])
        },
        Refused("policy-arns has 11 policies: give at most 10") {
            try AssumeRoleOptions(policyARNs: Array(repeating: "arn:aws:iam::aws:policy/A", count: 11))
        },
        Refused("tags has 51 tags: give at most 50") {
            try AssumeRoleOptions(tags: Dictionary(uniqueKeysWithValues: (0..<51).map { ("k\($0)", "") }))
        },
        Refused("tags has 'Team' twice: AWS takes capitals for small letters") {
            try AssumeRoleOptions(tags: ["Team": "a", "team": "b"])
        },
        Refused("transitive-tag-keys 'c' is no key of tags") {
            try AssumeRoleOptions(tags: ["a": "b"], transitiveTagKeys: ["c"])
        },
        Refused("transitive-tag-keys has a key twice") {
            try AssumeRoleOptions(tags: ["a": "b"], transitiveTagKeys: ["a", "a"])
        },
    ]

    @Test("Options that the service would refuse are refused with the setting's name")
    func refused() throws {
        for one in Self.refused {
            let fault = try #require(throws: RequestFault.self) { try one.make() }
            #expect(fault.message == one.message)
        }
    }

    @Test("A role of another partition than the region's is refused")
    func partition() throws {
        let fault = try #require(throws: RequestFault.self) {
            try AssumeRoleRequest(
                role: ARN("arn:aws-cn:iam::111122223333:role/x", as: .role), sessionName: "s1",
                options: AssumeRoleOptions(), service: STSService(region: "eu-west-2"))
        }
        #expect(
            fault.message
                == "role-arn is in partition aws-cn, region eu-west-2 in aws: credentials of one partition are unknown in another"
        )
    }

    @Test("An MFA code is six digits and is never shown", arguments: ["", "12345", "1234567", "12345x", "１２３４５６"])
    func code(text: String) throws {
        let bytes = Array(text.utf8)
        let fault = try #require(throws: RequestFault.self) { try MFACode(bytes.span) }
        #expect(fault.message == (text.isEmpty ? "the MFA code is empty" : "an MFA code has six digits"))
        let digits = Array("987654".utf8)
        let proof = try MFAProof(serial: "GAHT12345678", code: MFACode(digits.span))
        for shown in ["\(proof)", String(reflecting: proof), "\(proof.code)", String(reflecting: proof.code)] {
            #expect(!shown.contains("987654") && !shown.contains("57"), "\(shown)")
        }
        var dumped = ""
        dump(proof, to: &dumped)
        #expect(!dumped.contains("57"))
    }
}
