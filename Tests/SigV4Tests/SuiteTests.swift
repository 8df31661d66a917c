import Encodings
import Foundation
import HeaderFields
import SigV4
import Testing
import UTCTime
import X509

/// AWS's published test suite (`vectors`: aws-c-auth's, without the signatures in queries).
@Suite struct SuiteTests {
    static let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.sorted() ?? []
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "vectors/v4")

    /// Those whose path is signed as it stands: S3's rule, and no other service's.
    private static let unnormalized = names.filter { $0.hasSuffix("-unnormalized") }

    @Test("The suite is whole") func whole() throws {
        #expect(Self.names.count == 38)
        #expect(Self.unnormalized.count == 7)
        for name in Self.names {
            #expect(try Self.context(name).normalize == !Self.unnormalized.contains(name), "\(name)")
        }
    }

    @Test("A request of AWS's suite is signed as published", arguments: Set(names).subtracting(unnormalized).sorted())
    func signs(name: String) throws {
        let context = try Self.context(name)
        let credentials = context.credentials
        let request = try Self.request(name, context)
        let token = context.omitSessionToken == true ? nil : credentials.token
        let key = AccessKey(
            id: credentials.accessKeyId, secret: credentials.secretAccessKey, sessionToken: token)
        let time = try #require(UTCTime(rfc3339: context.timestamp))
        let signed = key.sign(request, at: time.secondsSince1970, with: .openssl)
        #expect(try signed.canonicalRequest == Self.text("header-canonical-request.txt", of: name))
        #expect(try signed.stringToSign == Self.text("header-string-to-sign.txt", of: name))
        let authorization = try #require(signed.headers.last)
        #expect(authorization.name == "Authorization")
        #expect(try authorization.value.hasSuffix(", Signature=" + Self.text("header-signature.txt", of: name)))
        let published = try Self.text("header-signed-request.txt", of: name).split(separator: "\n")
        #expect(published.contains("Authorization:\(authorization.value)"))
    }

    private struct Context: Decodable {
        struct Credentials: Decodable {
            let accessKeyId: String
            let secretAccessKey: String
            let token: String?
        }

        let credentials: Credentials
        let normalize: Bool
        let region: String
        let service: String
        /// The digest of the body is sent in a header as well.
        let signBody: Bool
        let timestamp: String
        /// The session token is sent, and not signed.
        let omitSessionToken: Bool?
    }

    private static func text(_ file: String, of name: String) throws -> String {
        try String(contentsOf: folder.appending(path: "\(name)/\(file)"), encoding: .utf8)
    }

    private static func context(_ name: String) throws -> Context {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Context.self, from: Data(text("context.json", of: name).utf8))
    }

    /// Reads `METHOD TARGET HTTP/1.1`, headers that may go on in lines that begin with a space, and a body.
    private static func request(_ name: String, _ context: Context) throws -> UnsignedRequest {
        let halves = try text("request.txt", of: name).split(separator: "\n\n", maxSplits: 1)
        var lines = halves[0].split(separator: "\n")
        let first = lines.removeFirst()
        let target = first.drop { $0 != " " }.dropFirst().dropLast(" HTTP/1.1".count)
        var headers: [HeaderField] = []
        for line in lines {
            if line.hasPrefix(" "), let last = headers.popLast() {
                headers.append(HeaderField(name: last.name, value: last.value + line))
            } else {
                let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                headers.append(HeaderField(name: String(parts[0]), value: String(parts[1])))
            }
        }
        let body = halves.count == 2 ? Array(halves[1].utf8) : []
        if context.signBody {
            let digest = Hexadecimal.encode(Digest.sha256(body))
            headers.append(HeaderField(name: "x-amz-content-sha256", value: digest))
        }
        let query = target.drop { $0 != "?" }.dropFirst().split(separator: "&").map { parameter in
            let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                key: String(parts[0]).removingPercentEncoding ?? "",
                value: parts.count == 2 ? String(parts[1]).removingPercentEncoding ?? "" : ""
            )
        }
        return UnsignedRequest(
            service: context.service, region: context.region, method: String(first.prefix { $0 != " " }),
            path: String(target.prefix { $0 != "?" }), query: CanonicalQuery.text(query), headers: headers, body: body)
    }
}

extension HashFunctions {
    static let openssl = HashFunctions(sha256: Digest.sha256, hmac: Digest.hmac)
}
