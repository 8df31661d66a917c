import Testing

@testable import Agent

@Suite("Addresses on loopback") struct LoopbackAddressTests {
    @Test("Two addresses are taken, with a port", arguments: ["127.0.0.1:9910", "[::1]:1", "127.0.0.1:65535"])
    func taken(text: String) throws { #expect(try #require(LoopbackAddress(text)).description == text) }

    @Test(
        "All others are not",
        arguments: [
            "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:080", "127.0.0.1:+80",
            "127.0.0.1:9910 ", " 127.0.0.1:9910", "127.0.0.1:９", "0.0.0.0:9910", "[::]:9910", "::1:9910", "[::1]",
            "[::ffff:127.0.0.1]:80", "192.0.2.1:80", "127.1:80", "127.0.0.2:80", "2130706433:80", "localhost:80",
            "169.254.169.254:80", "[::1%lo]:80",
        ])
    func refused(text: String) { #expect(LoopbackAddress(text) == nil) }

    @Test(
        "A request is meant for it where Host has its address or localhost, and its port",
        arguments: [
            ("127.0.0.1:9910", "127.0.0.1:9910", true), ("127.0.0.1:9910", "localhost:9910", true),
            ("127.0.0.1:9910", "LocalHost:9910", true), ("[::1]:9910", "[::1]:9910", true),
            ("[::1]:9910", "localhost:9910", true), ("127.0.0.1:80", "127.0.0.1", true),
            ("127.0.0.1:80", "localhost", true), ("[::1]:80", "[::1]", true), ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:9910", "", false), ("127.0.0.1:9910", "127.0.0.1", false),
            ("127.0.0.1:9910", "localhost", false), ("127.0.0.1:9910", "127.0.0.1:80", false),
            ("127.0.0.1:9910", "[::1]:9910", false), ("[::1]:9910", "127.0.0.1:9910", false),
            ("127.0.0.1:9910", "evil.example:9910", false), ("127.0.0.1:9910", "127.0.0.1.evil.example:9910", false),
            ("127.0.0.1:9910", "localhost.:9910", false), ("127.0.0.1:9910", "x@127.0.0.1:9910", false),
            ("127.0.0.1:9910", "0.0.0.0:9910", false), ("127.0.0.1:9910", "127.0.0.1:09910", false),
            ("127.0.0.1:9910", "127.0.0.1:9910, evil", false), ("127.0.0.1:9910", "169.254.170.2:9910", false),
        ])
    func hosts(address: String, host: String, isMeant: Bool) throws {
        #expect(try #require(LoopbackAddress(address)).isMeant(byHost: host) == isMeant)
    }
}
