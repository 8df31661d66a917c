import AWSNames
import Testing

@Suite struct EndpointTests {
    // Expected hosts: botocore's endpoint-rule-set-1.json for rolesanywhere.
    @Test(
        "Every partition has its own endpoints",
        arguments: [
            ("eu-west-2", false, false, "rolesanywhere.eu-west-2.amazonaws.com"),
            ("us-east-1", true, false, "rolesanywhere-fips.us-east-1.amazonaws.com"),
            ("us-east-1", false, true, "rolesanywhere.us-east-1.api.aws"),
            ("us-east-1", true, true, "rolesanywhere-fips.us-east-1.api.aws"),
            ("mx-central-1", false, false, "rolesanywhere.mx-central-1.amazonaws.com"),
            ("xx-unheard-9", false, false, "rolesanywhere.xx-unheard-9.amazonaws.com"),
            ("cn-north-1", false, false, "rolesanywhere.cn-north-1.amazonaws.com.cn"),
            ("cn-north-1", true, false, "rolesanywhere-fips.cn-north-1.amazonaws.com.cn"),
            ("cn-north-1", false, true, "rolesanywhere.cn-north-1.api.amazonwebservices.com.cn"),
            ("cn-north-1", true, true, "rolesanywhere-fips.cn-north-1.api.amazonwebservices.com.cn"),
            ("us-gov-west-1", false, false, "rolesanywhere.us-gov-west-1.amazonaws.com"),
            ("us-gov-west-1", true, false, "rolesanywhere-fips.us-gov-west-1.amazonaws.com"),
            ("us-gov-west-1", false, true, "rolesanywhere.us-gov-west-1.api.aws"),
            ("us-gov-west-1", true, true, "rolesanywhere-fips.us-gov-west-1.api.aws"),
            ("eusc-de-east-1", false, false, "rolesanywhere.eusc-de-east-1.amazonaws.eu"),
            ("eusc-de-east-1", false, true, "rolesanywhere.eusc-de-east-1.api.amazonwebservices.eu"),
            ("us-iso-east-1", false, false, "rolesanywhere.us-iso-east-1.c2s.ic.gov"),
            ("us-iso-east-1", true, false, "rolesanywhere-fips.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", false, false, "rolesanywhere.us-isob-east-1.sc2s.sgov.gov"),
            ("us-isob-east-1", true, false, "rolesanywhere-fips.us-isob-east-1.sc2s.sgov.gov"),
            ("eu-isoe-west-1", false, false, "rolesanywhere.eu-isoe-west-1.cloud.adc-e.uk"),
            ("eu-isoe-west-1", true, false, "rolesanywhere-fips.eu-isoe-west-1.cloud.adc-e.uk"),
            ("us-isof-south-1", false, false, "rolesanywhere.us-isof-south-1.csp.hci.ic.gov"),
            ("us-isof-south-1", true, false, "rolesanywhere-fips.us-isof-south-1.csp.hci.ic.gov"),
        ])
    func ofRegion(region: String, fips: Bool, dualStack: Bool, host: String) throws {
        let endpoint = try Endpoint.resolve(.rolesAnywhere, region: region, fips: fips, dualStack: dualStack)
        #expect(endpoint.host == host)
        #expect(endpoint.url == "https://\(host)")
        #expect(!endpoint.isPlaintext)
    }

    @Test(
        "What is no region, or has no such endpoint, is refused",
        arguments: [
            ("fips-us-east-1", false), ("us-gov-west-1-fips", false), ("", false), ("us east", false),
            ("us-east-1.evil.example/", false), ("US-EAST-1", false), ("us-east-1@evil", false),
        ])
    func noRegion(region: String, dualStack: Bool) {
        #expect(throws: RequestFault.self) {
            try Endpoint.resolve(.rolesAnywhere, region: region, dualStack: dualStack)
        }
    }

    @Test(
        "An endpoint given by hand is brought to one form",
        arguments: [
            ("https://127.0.0.1:8443", "127.0.0.1:8443", "", false),
            ("https://Gateway.Example", "gateway.example", "", false),
            ("https://gateway.example:443/", "gateway.example", "", false),
            ("https://gateway.example/a/b~c/", "gateway.example", "/a/b~c", false),
            ("HTTPS://[2001:db8::1]:8443", "[2001:db8::1]:8443", "", false),
            ("http://127.0.0.1:8080", "127.0.0.1:8080", "", true),
            ("http://127.255.0.9", "127.255.0.9", "", true),
            ("http://localhost:80", "localhost", "", true),
            ("http://[::1]:8080/x", "[::1]:8080", "/x", true),
        ])
    func override(text: String, host: String, path: String, plaintext: Bool) throws {
        let endpoint = try Endpoint.resolve(.rolesAnywhere, region: "eu-west-2", override: text)
        #expect(endpoint.host == host)
        #expect(endpoint.basePath == path)
        #expect(endpoint.isPlaintext == plaintext)
        #expect(endpoint.url == "\(plaintext ? "http" : "https")://\(host)\(path)")
    }

    @Test(
        "An endpoint that leads elsewhere or says too much is refused",
        arguments: [
            "", "gateway.example", "ftp://gateway.example", "https://", "https:///sessions", "https://:8443",
            "https://user@gateway.example", "https://user:secret@gateway.example", "https://gateway.example?x=1",
            "https://gateway.example#x", "https://gateway.example/a b", "https://gateway.example/%2e",
            "https://gateway.example/a//b", "https://gateway.example/../b", "https://gateway.example/./b",
            "https://gateway.example//", "https://gateway.example:0", "https://gateway.example:65536",
            "https://gateway.example:", "https://gateway.example:8443x", "https://gateway.example:+443",
            "https://gateway..example", "https://gateway_example", "https://-gateway", "https://gatewäy.example",
            "https://[::1", "https://[::1]x", "https://[g]", "https://gateway.example\n", "https://a\\b",
            "http://gateway.example", "http://128.0.0.1", "http://127.0.0.1.example", "http://127.1",
            "http://0177.0.0.1", "http://127.0.0.256", "http://localhost.example", "http://[::2]",
            "http://[::ffff:127.0.0.1]",
        ])
    func badOverride(text: String) throws {
        let error = try #require(throws: RequestFault.self) {
            try Endpoint.resolve(.rolesAnywhere, region: "x", override: text)
        }
        #expect(!error.message.contains { $0.isNewline })
    }

    @Test("FIPS and dual-stack do not go with an endpoint given by hand", arguments: [(true, false), (false, true)])
    func overrideAndVariant(fips: Bool, dualStack: Bool) {
        #expect(throws: RequestFault.self) {
            try Endpoint.resolve(
                .rolesAnywhere, region: "us-east-1", fips: fips, dualStack: dualStack, override: "https://a.example")
        }
    }
}
