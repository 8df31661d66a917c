import Encodings
import HeaderFields
import SigV4
import Testing
import UTCTime

@testable import RolesAnywhere

/// Canonical requests come from botocore's `SigV4Auth.canonical_request` for the same URL, headers and body; digests
/// from `hashlib.sha256` over them and over the string to sign put together by hand.
@Suite struct SigningTests {
    @Test("An ECDSA request without a chain is canonical (vector A)")
    func vectorA() throws {
        let request = try SessionFixture.request()
        let draft = try request.draft()
        #expect(
            draft.canonical.text == """
                POST
                /sessions
                profileArn=arn%3Aaws%3Arolesanywhere%3Aeu-west-2%3A123456789012%3Aprofile%2Ftest&\
                roleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Ftest&\
                trustAnchorArn=arn%3Aaws%3Arolesanywhere%3Aeu-west-2%3A123456789012%3Atrust-anchor%2Ftest
                content-type:application/json
                host:rolesanywhere.eu-west-2.amazonaws.com
                x-amz-date:20231001T120000Z
                x-amz-x509:Y2xpZW50LWNlcnQ=

                content-type;host;x-amz-date;x-amz-x509
                1a15f67f6619aa540b13e9a4c37d149fb2c9bdea25d82b73a3878826694dfe27
                """)
        #expect(String(decoding: request.body, as: UTF8.self) == #"{"durationSeconds":3600}"#)
        #expect(
            String(decoding: draft.stringToSign, as: UTF8.self) == """
                AWS4-X509-ECDSA-SHA256
                20231001T120000Z
                20231001/eu-west-2/rolesanywhere/aws4_request
                bfd2fcdeb79056a0dd3a48efdd33aca1d0b6a9f94c40935d02443cd79aa8599f
                """)
        #expect(
            Hexadecimal.encode(testSHA256(draft.stringToSign))
                == "b916cdd5ba084efd725d4a92c80cca0ee2c5e3782ad18d3870e08872b4059c94")
    }

    @Test("A request with a chain and further headers is canonical (vector B)")
    func vectorB() throws {
        let request = try SessionFixture.request(
            options: SessionOptions(durationSeconds: 900, roleSessionName: "host-1"))
        let headers =
            try request.draft(keyKind: .rsa, chain: ["intermediate-cert-1", "intermediate-cert-2"]).headers + [
                HeaderField(name: "Amz-Sdk-Invocation-Id", value: "00000000-0000-4000-8000-000000000000"),
                HeaderField(name: "Amz-Sdk-Request", value: "  attempt=1;   max=3 "),
            ]
        let canonical = CanonicalRequest(
            method: "POST", path: request.path, query: request.query, headers: headers,
            bodyDigest: testSHA256(request.body))
        let digest = testSHA256(Array(canonical.text.utf8))
        #expect(
            Hexadecimal.encode(testSHA256(request.body))
                == "3ebe8d8664f2f11c7dc7e013308b0602e80ae347deac246b05740c96c325a806")
        #expect(
            Hexadecimal.encode(digest) == "17fd6a0d4896962323f56bd5c62ef83496a2b8f8abf471a49e210cc64c41d4e9")
        let scope = SigningScope(
            algorithm: "AWS4-X509-RSA-SHA256", time: UTCTime(secondsSince1970: SessionFixture.now), region: "eu-west-2",
            service: "rolesanywhere")
        #expect(
            Hexadecimal.encode(testSHA256(Array(scope.stringToSign(canonicalDigest: digest).utf8)))
                == "dc3216ba330255bfbd8a210609212db3421c074c7ff047f2b4966cb315a9273c")
    }

    @Test("The chain is signed where there is one")
    func chain() throws {
        let draft = try SessionFixture.request(
            options: SessionOptions(durationSeconds: 900, roleSessionName: "host-1")
        ).draft(keyKind: .rsa, chain: ["intermediate-cert-1", "intermediate-cert-2"])
        #expect(
            Hexadecimal.encode(testSHA256(draft.stringToSign))
                == "3f6d30430404bf73eff98ede7907d77a152278d8c20b4e7b8f8c6ab921c3d3c9")
        #expect(
            draft.headers.value(of: "x-amz-x509-chain")
                == "aW50ZXJtZWRpYXRlLWNlcnQtMQ==,aW50ZXJtZWRpYXRlLWNlcnQtMg==")
    }

    /// Of an AWS sample of 2026, calculated from the user guide by its author.
    @Test("A request with its length signed has the digest of AWS' sample")
    func sample() throws {
        let service = "arn:aws:rolesanywhere:us-east-1:123456789012"
        let body = Array(#"{"durationSeconds":3600}"#.utf8)
        let canonical = CanonicalRequest(
            method: "POST", path: "/sessions",
            query: CanonicalQuery.text([
                "profileArn": "\(service):profile/EXAMPLE", "roleArn": "arn:aws:iam::123456789012:role/ExampleRole",
                "trustAnchorArn": "\(service):trust-anchor/EXAMPLE",
            ]),
            headers: [
                HeaderField(name: "Content-Type", value: "application/json"),
                HeaderField(name: "Content-Length", value: "24"),
                HeaderField(name: "Host", value: "rolesanywhere.us-east-1.amazonaws.com"),
                HeaderField(name: "X-Amz-Date", value: "20260312T103000Z"),
                HeaderField(name: "X-Amz-X509", value: "VEVTVA=="),
            ], bodyDigest: testSHA256(body))
        #expect(canonical.signedHeaders == "content-length;content-type;host;x-amz-date;x-amz-x509")
        #expect(
            Hexadecimal.encode(testSHA256(Array(canonical.text.utf8)))
                == "175c0d4f37c0b5bc1ff3276af9da3c12d73d1405018a442e7bcbf096e84b3dda")
    }

    @Test("The ARNs stand in the body where one has an equals sign, and the query is empty")
    func equalsSign() throws {
        let request = try SessionFixture.request(
            role: "arn:aws:iam::123456789012:role/p/a+b=c,d.e@f-g_h", endpoint: "https://127.0.0.1:8443/a")
        let draft = try request.draft()
        #expect(request.url == "https://127.0.0.1:8443/a/sessions")
        #expect(
            String(decoding: request.body, as: UTF8.self) == """
                {"durationSeconds":3600,"profileArn":"arn:aws:rolesanywhere:eu-west-2:123456789012:profile/test",\
                "roleArn":"arn:aws:iam::123456789012:role/p/a+b=c,d.e@f-g_h",\
                "trustAnchorArn":"arn:aws:rolesanywhere:eu-west-2:123456789012:trust-anchor/test"}
                """)
        #expect(
            Hexadecimal.encode(testSHA256(draft.stringToSign))
                == "3b5b3b423c876c6a436699924b07b935796ae48258a543489ba98999ca0b42c5")
    }

    @Test("A base path and a port are signed as they are sent, and a role's name is escaped once")
    func basePath() throws {
        let request = try SessionFixture.request(
            role: "arn:aws:iam::123456789012:role/p/a+b,d.e@f-g_h", endpoint: "https://127.0.0.1:8443/a/b~c/")
        let draft = try request.draft()
        #expect(
            Hexadecimal.encode(testSHA256(draft.stringToSign))
                == "899d85760691a0a4b0afcd6f7c9266453df9f20c798bb9105af28048b4425187")
        #expect(request.url == "https://127.0.0.1:8443/a/b~c/sessions?\(request.query)")
        #expect(request.path == "/a/b~c/sessions")
        #expect(draft.headers.value(of: "host") == "127.0.0.1:8443")
    }

    @Test(
        "The Authorization header carries the algorithm, the decimal serial and the signature in hexadecimal",
        arguments: [
            (SigningCertificate.KeyKind.rsa, "AWS4-X509-RSA-SHA256"), (.ec, "AWS4-X509-ECDSA-SHA256"),
        ])
    func authorization(keyKind: SigningCertificate.KeyKind, algorithm: String) throws {
        let draft = try SessionFixture.request().draft(keyKind: keyKind)
        let headers = draft.signed(signature: [0x00, 0x30, 0xFE])
        #expect(
            headers.value(of: "authorization")
                == "\(algorithm) Credential=5215639076998761095638506031589467414/20231001/eu-west-2/rolesanywhere/"
                + "aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-x509, Signature=0030fe")
        #expect(headers.dropLast() == draft.headers[...])
    }
}
