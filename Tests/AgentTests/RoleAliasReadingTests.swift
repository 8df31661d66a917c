import IoTCore
import Testing

@testable import Agent

/// The keys of a profile whose source is iot-core.
struct RoleAliasReadingTests {
    /// Reads the keys by themselves, in a table that begins in line 1.
    private static func read(_ text: String) throws -> (request: RoleAliasRequest?, faults: [String]) {
        let faults = FaultList()
        let entries = try #require(TOMLParser.parse(Array(text.utf8)) { _ in })
        var table = TableReader(entries, title: "[profile.p]", at: ("config.toml", 1), faults: faults)
        let request = RoleAliasRequest(reading: &table)
        table.refuseUnknownKeys()
        return (request, faults.error.faults.map { "\($0)" })
    }

    @Test("An endpoint and a role alias are enough, and a thing may be named")
    func isRead() throws {
        let text = """
            endpoint = "https://abcdefghijklm.credentials.iot.eu-central-1.amazonaws.com"
            role-alias = "edge-role=,@_"
            """
        let plain = try Self.read(text)
        #expect(plain.faults == [])
        #expect(plain.request?.endpoint.url == "https://abcdefghijklm.credentials.iot.eu-central-1.amazonaws.com")
        #expect(plain.request?.roleAlias == "edge-role=,@_")
        #expect(plain.request?.thingName == nil)
        #expect(try Self.read("\(text)\nthing-name = 'edge:7_a-b'").request?.thingName == "edge:7_a-b")
    }

    @Test("A missing or wrong key is told of", arguments: faults)
    func isRefused(_ row: FaultCase) throws {
        let read = try Self.read(row.text)
        #expect(read.faults == row.faults)
    }

    private static let ask =
        "'aws iot describe-endpoint --endpoint-type iot:CredentialProvider' tells the one of IoT Core's credentials"

    private static let faults = [
        FaultCase(
            "", "config.toml:1: [profile.p] has no endpoint; add it",
            "config.toml:1: [profile.p] has no role-alias; add it"),
        FaultCase(
            "endpoint = 'http://example.com'\nrole-alias = 'a b'",
            "config.toml:1: endpoint 'http://example.com': http is for 127.0.0.1, [::1] and localhost; use https",
            "config.toml:2: role-alias is \"a b\"; give 1 to 128 letters, digits and _=,@-"),
        FaultCase(
            "endpoint = 'https://example.com'\nrole-alias = 'a'\nthing-name = 'a=b'\nrole-alais = 'x'",
            "config.toml:3: thing-name is \"a=b\"; give 1 to 128 letters, digits and :_-",
            "config.toml:4: unknown key \"role-alais\" in [profile.p]; did you mean \"role-alias\"?"),
        FaultCase(
            "endpoint = 'http://127.0.0.1:8443'\nrole-alias = 'a'",
            "config.toml:1: endpoint is http, which has no client certificates; use https"),
        FaultCase(
            "endpoint = 'https://rolesanywhere.eu-west-1.amazonaws.com'\nrole-alias = 'a'",
            "config.toml:1: endpoint is Roles Anywhere's; \(ask)"),
        FaultCase(
            "endpoint = 'https://abcdefghijklm-ats.iot.eu-west-1.amazonaws.com'\nrole-alias = 'a'",
            "config.toml:1: endpoint is for IoT's messages; \(ask)"),
    ]
}
