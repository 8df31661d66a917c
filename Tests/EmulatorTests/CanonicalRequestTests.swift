import Testing

@testable import Emulator

@Suite("The canonical request")
struct CanonicalRequestTests {
    private typealias Header = ReceivedRequest.Header

    struct Vector: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let body: String
        let headers: [ReceivedRequest.Header]
        let algorithm: String
        let canonicalHash: String
        let digestToSign: String
    }

    private static let target =
        "/sessions?profileArn=arn%3Aaws%3Arolesanywhere%3Aeu-west-2%3A123456789012%3Aprofile%2Ftest"
        + "&roleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Ftest"
        + "&trustAnchorArn=arn%3Aaws%3Arolesanywhere%3Aeu-west-2%3A123456789012%3Atrust-anchor%2Ftest"

    private static let headers = [
        Header("Host", "rolesanywhere.eu-west-2.amazonaws.com"), Header("Content-Type", "application/json"),
        Header("X-Amz-Date", "20231001T120000Z"), Header("X-Amz-X509", "Y2xpZW50LWNlcnQ="),
    ]

    /// Computed by hand in python; a third party's published test confirms the form.
    static let vectors = [
        Vector(
            testDescription: "A", body: #"{"durationSeconds":3600}"#, headers: headers,
            algorithm: "AWS4-X509-ECDSA-SHA256",
            canonicalHash: "bfd2fcdeb79056a0dd3a48efdd33aca1d0b6a9f94c40935d02443cd79aa8599f",
            digestToSign: "b916cdd5ba084efd725d4a92c80cca0ee2c5e3782ad18d3870e08872b4059c94"),
        Vector(
            testDescription: "B", body: #"{"durationSeconds":900,"roleSessionName":"host-1"}"#,
            headers: headers + [
                Header("X-Amz-X509-Chain", "aW50ZXJtZWRpYXRlLWNlcnQtMQ==,aW50ZXJtZWRpYXRlLWNlcnQtMg=="),
                Header("Amz-Sdk-Invocation-Id", "00000000-0000-4000-8000-000000000000"),
                Header("Amz-Sdk-Request", "attempt=1; max=3"),
            ],
            algorithm: "AWS4-X509-RSA-SHA256",
            canonicalHash: "17fd6a0d4896962323f56bd5c62ef83496a2b8f8abf471a49e210cc64c41d4e9",
            digestToSign: "dc3216ba330255bfbd8a210609212db3421c074c7ff047f2b4966cb315a9273c"),
    ]

    @Test("The published vectors come out, whatever the order of arrival", arguments: vectors, [false, true])
    func vector(_ vector: Vector, reversed: Bool) throws {
        let headers = reversed ? vector.headers.reversed() : vector.headers
        let request = ReceivedRequest(
            method: "POST", target: Self.target, headers: headers, body: Array(vector.body.utf8))
        let names = headers.map { $0.name.lowercased() }.sorted()
        let canonical = try CanonicalRequest(request, signedHeaders: names, equalsSigns: .twice)
        #expect(canonical.hash == vector.canonicalHash)
        let stringToSign = canonical.stringToSign(
            algorithm: vector.algorithm, date: "20231001T120000Z",
            scope: "20231001/eu-west-2/rolesanywhere/aws4_request")
        #expect(Hex.encode(Digest.sha256(Array(stringToSign.utf8))) == vector.digestToSign)
    }

    /// What botocore 1.43 sends for these, on 1 October 2023.
    @Test(
        "A signature of botocore comes out",
        arguments: [
            (
                target: "/", body: "Action=GetCallerIdentity&Version=2011-06-15",
                headers: [
                    Header("Host", "127.0.0.1:8443"),
                    Header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
                ],
                signature: "741e303c78508dbb98b676cefc72b4fa51fe689e972eab0348c4739ca8c49b63"
            ),
            (
                target: "/?b=2&a=x%20y&a=%2F%3D&c", body: "",
                headers: [Header("Host", "sts.eu-west-2.amazonaws.com"), Header("X-Amz-Meta", "a   b  c")],
                signature: "ea7277ce341951fbf22c7938364324f5bcc70a905703cbba815e6fa48ab5ed99"
            ),
        ])
    func botocore(target: String, body: String, headers: [ReceivedRequest.Header], signature: String) throws {
        let headers =
            headers + [Header("X-Amz-Date", "20231001T120000Z"), Header("X-Amz-Security-Token", "token/+=")]
        let request = ReceivedRequest(method: "POST", target: target, headers: headers, body: Array(body.utf8))
        let canonical = try CanonicalRequest(
            request, signedHeaders: headers.map { $0.name.lowercased() }.sorted(), equalsSigns: .once)
        let scope = CredentialScope(date: "20231001", region: "eu-west-2", service: "sts", terminator: "aws4_request")
        let stringToSign = canonical.stringToSign(
            algorithm: "AWS4-HMAC-SHA256", date: "20231001T120000Z", scope: scope.text)
        let made = SigV4Signature.signature(
            of: stringToSign, secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", scope: scope)
        #expect(Hex.encode(made) == signature)
    }

    /// Of an AWS sample of 2026, calculated from the user guide by its author.
    @Test("A request with its length signed has the digest of AWS' sample")
    func sample() throws {
        let service = "arn%3Aaws%3Arolesanywhere%3Aus-east-1%3A123456789012%3A"
        let headers = [
            Header("Content-Length", "24"), Header("Content-Type", "application/json"),
            Header("Host", "rolesanywhere.us-east-1.amazonaws.com"), Header("X-Amz-Date", "20260312T103000Z"),
            Header("X-Amz-X509", "VEVTVA=="),
        ]
        let request = ReceivedRequest(
            method: "POST",
            target: "/sessions?profileArn=\(service)profile%2FEXAMPLE"
                + "&roleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FExampleRole"
                + "&trustAnchorArn=\(service)trust-anchor%2FEXAMPLE",
            headers: headers, body: Array(#"{"durationSeconds":3600}"#.utf8))
        let canonical = try CanonicalRequest(
            request, signedHeaders: headers.map { $0.name.lowercased() }, equalsSigns: .twice)
        #expect(canonical.hash == "175c0d4f37c0b5bc1ff3276af9da3c12d73d1405018a442e7bcbf096e84b3dda")
    }

    /// What botocore's `SigV4Auth.canonical_query_string` makes of the same parameters, given decoded; with `=` twice, the
    /// same with what the user guide says of it ("Signing process").
    @Test(
        "A query is sorted and encoded, equals signs in values as often as is asked for",
        arguments: [
            ("", "", nil), ("b=2&a=1", "a=1&b=2", nil), ("a=2&a=1", "a=1&a=2", nil), ("c", "c=", nil),
            ("a=x:y/z", "a=x%3Ay%2Fz", nil), ("a=%3a", "a=%3A", nil), ("a=~-_.", "a=~-_.", nil),
            ("a=%zz", "a=%25zz", nil), ("a=b=c", "a=b%3Dc", "a=b%253Dc"), ("a=%3D%3d", "a=%3D%3D", "a=%253D%253D"),
        ] as [(String, String, String?)])
    func query(raw: String, once: String, twice: String?) throws {
        let request = ReceivedRequest(method: "POST", target: "/sessions?\(raw)", headers: [], body: [])
        for (equalsSigns, expected) in [(CanonicalRequest.EqualsSigns.once, once), (.twice, twice ?? once)] {
            let lines = try CanonicalRequest(request, signedHeaders: [], equalsSigns: equalsSigns).text.split(
                separator: "\n", omittingEmptySubsequences: false)
            #expect(lines[2] == expected)
        }
    }

    @Test("A signed header that is missing or doubled is named", arguments: [0, 2])
    func unusableHeader(occurrences: Int) {
        let headers = Array(repeating: Header("Host", "x"), count: occurrences)
        let request = ReceivedRequest(method: "POST", target: "/", headers: headers, body: [])
        let error = #expect(throws: CanonicalRequest.UnusableHeader.self) {
            try CanonicalRequest(request, signedHeaders: ["host"], equalsSigns: .once)
        }
        #expect(error?.name == "host")
        #expect(error?.occurrences == occurrences)
    }
}
