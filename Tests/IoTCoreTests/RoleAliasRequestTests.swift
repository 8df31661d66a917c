import AWSNames
import HeaderFields
import IoTCore
import ServiceAnswers
import Testing

@Suite struct RoleAliasRequestTests {
    private let endpoint: Endpoint

    init() throws { endpoint = try Endpoint(override: "https://abc.credentials.iot.eu-central-1.amazonaws.com") }

    /// The developer guide's: curl --cert … -H "x-amzn-iot-thingname: NAME" https://ENDPOINT/role-aliases/ALIAS/credentials
    @Test("The request is the one of the developer guide's curl") func request() {
        let request = RoleAliasRequest(endpoint: endpoint, roleAlias: "Thermostat-alias", thingName: "myThing:1")
        #expect(
            request.url
                == "https://abc.credentials.iot.eu-central-1.amazonaws.com/role-aliases/Thermostat-alias/credentials")
        #expect(request.headers == [HeaderField(name: "x-amzn-iot-thingname", value: "myThing:1")])
        #expect(RoleAliasRequest(endpoint: endpoint, roleAlias: "a=b,c@d_").headers.isEmpty)
    }

    @Test("A refusal names what it may be about: the certificate, its policy, alias and thing") func hints() throws {
        let request = RoleAliasRequest(endpoint: endpoint, roleAlias: "edge", thingName: "edge-7")
        let answer = ServiceAnswer(
            status: 403, headers: [HeaderField(name: "Content-Type", value: "application/json")],
            body: Array(#"{"message":"Access\u0007 Denied"}"#.utf8), receivedAt: 0)
        let error = try #require(throws: RoleAliasError.self) { try RoleAliasResponse.parse(answer) }
        #expect(error.message == "AssumeRoleWithCertificate was refused with 403: Access Denied")
        let hint = try #require(error.hint { $0.hint(for: request, certificate: "4711") })
        for part in ["serial 4711", "ACTIVE", "iot:AssumeRoleWithCertificate", "alias edge", "thing-name edge-7"] {
            #expect(hint.contains(part))
        }
    }
}
