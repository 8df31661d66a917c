import HeaderFields
import SigV4
import Testing

@Suite struct AccessKeyTests {
    @Test("A secret shows in no description, dump or canonical request")
    func redacted() {
        let key = AccessKey(id: "AKIDEXAMPLE", secret: "canary-secret", sessionToken: "canary-token")
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] { #expect(!text.contains("canary")) }
        let request = UnsignedRequest(
            service: "sts", region: "us-east-1", headers: [HeaderField(name: "Host", value: "sts.amazonaws.com")],
            body: [])
        let signed = key.sign(request, at: 0, with: .openssl)
        let texts = [signed.canonicalRequest, signed.stringToSign] + signed.headers.map(\.value)
        #expect(!texts.contains { $0.contains("canary-secret") })
        #expect(signed.headers.map(\.name) == ["Host", "X-Amz-Date", "X-Amz-Security-Token", "Authorization"])
    }

    /// By botocore's `SigV4Auth`, and by hand for the dot segments (RFC 3986 §5.2.4).
    @Test(
        "A path is signed without dot segments and doubled slashes, and escaped once more than it is sent",
        arguments: [
            ("", "/"), ("/", "/"), ("//", "/"), ("/a/../..", "/"), ("/./a//b/", "/a/b/"), ("/a/.", "/a"),
            ("/a%20b", "/a%2520b"), ("/role-aliases/x~y/credentials", "/role-aliases/x~y/credentials"),
        ])
    func path(sent: String, signed: String) {
        #expect(CanonicalPath.text(sent) == signed)
    }
}
