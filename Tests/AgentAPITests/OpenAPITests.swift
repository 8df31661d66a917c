import AgentAPI
import Foundation
import Testing

/// Holds `Sources/AgentAPI/openapi.json` and the code together.
@Suite struct OpenAPITests {
    let document: [String: Any]

    init() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/AgentAPI/openapi.json")
        document = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    }

    @Test("The document has the routes of the code, with their permissions and largest bodies, and no others")
    func routes() throws {
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        var documented: Set<String> = []
        for (path, item) in paths {
            for (method, operation) in item where method != "parameters" {
                let operation = try #require(operation as? [String: Any])
                let identifier = try #require(operation["operationId"] as? String)
                let permission = try #require(operation["x-permission"] as? String)
                let largestBody = operation["x-largest-body"] as? Int ?? 0
                #expect((operation["requestBody"] != nil) == (largestBody > 0))
                documented.insert("\(method.uppercased()) \(path) \(identifier) \(permission) \(largestBody)")
            }
        }
        let coded = Route.all.map {
            "\($0.method.rawValue) \($0.pattern) \($0.action) \($0.permission.rawValue) \($0.largestBody)"
        }
        #expect(documented == Set(coded))
    }

    @Test("The document has the codes and the exit codes of the code") func codes() throws {
        let problem = try properties("Problem")
        #expect(try words(problem["code"]) == Set(Problem.Code.allCases.map(\.rawValue)))
        let problems = Problem.Code.allCases.map { Problem($0, "") }
        #expect(try numbers(problem["exit"]) == Set(problems.map { Int($0.exit.rawValue) }))
        #expect(try numbers(problem["status"]) == Set(problems.map(\.status)))
        let token = try properties("TokenListing")
        #expect(try words(token["state"]) == Set(TokenListing.State.allCases.map(\.rawValue)))
        #expect(try words(token["pin_tries"]) == Set(TokenListing.PINTries.allCases.map(\.rawValue)))
        #expect(try words(token["awaiting"]) == Set(TokenListing.Awaited.allCases.map(\.rawValue)))
        let kinds = Set(ProfileStatus.NextGesture.Kind.allCases.map(\.rawValue))
        #expect(try words(properties("NextGesture")["kind"]) == kinds)
        #expect(try words(properties("ModuleStatus")["state"]) == Set(ModuleStatus.State.allCases.map(\.rawValue)))
    }

    @Test("The document has the parameters of the code's problems, code by code") func parameters() throws {
        let parameters = try #require(properties("Problem")["parameters"] as? [String: Any])
        let names = try #require(parameters["properties"] as? [String: Any])
        #expect(Set(names.keys) == Set(Problem.Parameter.allCases.map(\.rawValue)))
        #expect(names.keys.allSatisfy { $0.wholeMatch(of: /[a-z]+(_[a-z]+)*/) != nil })
        let codes = try #require(parameters["x-codes"] as? [String: [String]])
        #expect(Set(codes.keys) == Set(Problem.Code.allCases.map(\.rawValue)))
        for code in Problem.Code.allCases {
            let all = Set(code.parameters.subtracting([.rememberedUntil, .sourceProfile]).map(\.rawValue))
            #expect(Set(codes[code.rawValue] ?? []) == all, "\(code)")
        }
    }

    @Test("Each message has the members that its schema has, and always those that it requires", arguments: Sample.all)
    func members(sample: Sample) throws {
        #expect(try Set(object(sample.full).keys) == Set(properties(sample.schema).keys))
        let schema = try #require(schemas()[sample.schema] as? [String: Any])
        #expect(try Set(object(sample.least).keys) == Set(#require(schema["required"] as? [String])))
    }

    private func schemas() throws -> [String: Any] {
        try #require((document["components"] as? [String: Any])?["schemas"] as? [String: Any])
    }

    private func properties(_ schema: String) throws -> [String: Any] {
        try #require((schemas()[schema] as? [String: Any])?["properties"] as? [String: Any])
    }

    private func words(_ property: Any?) throws -> Set<String> {
        Set(try #require((property as? [String: Any])?["enum"] as? [String]))
    }

    private func numbers(_ property: Any?) throws -> Set<Int> {
        Set(try #require((property as? [String: Any])?["enum"] as? [Int]))
    }

    private func object(_ json: [UInt8]) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
    }
}

/// A message with all its members, and with as few as it can have.
struct Sample: Sendable, CustomTestStringConvertible {
    let schema: String
    let full: [UInt8]
    let least: [UInt8]

    var testDescription: String { schema }

    private init(_ schema: String, _ full: [UInt8], least: [UInt8]? = nil) {
        self.schema = schema
        self.full = full
        self.least = least ?? full
    }

    private init<Sent: Message>(_ schema: String, _ full: Sent, least: Sent? = nil) {
        self.init(schema, full.json, least: least?.json)
    }

    private static func filled<Sent: Message>(_ least: Sent, _ fill: (inout Sent) -> Void) -> Sent {
        var full = least
        fill(&full)
        return full
    }

    static let all: [Sample] = {
        let token = TokenListing { ($0.state, $0.pinTries) = (Word(.ready), Word(.ok)) }
        let gesture = ProfileStatus.NextGesture { $0.kind = Word(.touch) }
        let refusal = ProfileStatus.Refusal { $0.uid = 0 }
        let problem = Problem(.forbidden, "", hint: "", retryAfter: 1)
        return [
            Sample(
                "Credentials",
                CredentialDocument.render(
                    accessKeyID: "", secretAccessKey: "", sessionToken: "", expiration: 0, accountID: ""),
                least: CredentialDocument.render(
                    accessKeyID: "", secretAccessKey: "", sessionToken: "", expiration: 0, accountID: nil)),
            Sample(
                "Problem", ProblemDocument(problem), least: ProblemDocument(Problem(.forbidden, ""))),
            Sample("IdentityListing", IdentityListing()),
            Sample(
                "TokenListing", filled(token) { $0.awaiting = Word(.touch) }, least: token),
            Sample("ChosenCertificate", ProfileStatus.Certificate()),
            Sample(
                "CertificateListing", CertificateListing { ($0.keyURI, $0.keyReason) = ("", "") },
                least: CertificateListing()),
            Sample(
                "CertificateInstallListing",
                CertificateInstallListing { ($0.provenBy, $0.remark) = ("a", "") }, least: CertificateInstallListing()),
            Sample("AccessKey", ProfileStatus.AccessKey()),
            Sample("NextGesture", gesture),
            Sample("Refusal", filled(refusal) { $0.program = "" }, least: refusal),
            Sample("ExplainedCandidate", ExplainedCandidate { $0.sourceProfile = "" }, least: ExplainedCandidate()),
            Sample(
                "KeyListing",
                KeyListing {
                    ($0.local, $0.sensitive, $0.alwaysSensitive) = (true, true, true)
                    ($0.extractable, $0.neverExtractable, $0.signOnly, $0.alwaysAuthenticate) = (
                        false, true, true, false
                    )
                }, least: KeyListing()),
            Sample("KeyImportListing", KeyImportListing { $0.subject = "CN=x" }, least: KeyImportListing()),
            Sample(
                "ProfileStatus",
                ProfileStatus {
                    $0.certificate = ProfileStatus.Certificate()
                    $0.accessKey = ProfileStatus.AccessKey()
                    ($0.sessionExpiry, $0.lastError) = ("", "")
                    ($0.sessionCapSeconds, $0.sourceProfile, $0.standIn) = (3600, "", "")
                    $0.nextGesture = gesture
                    $0.lastRefusals = [refusal]
                }, least: ProfileStatus()),
            Sample(
                "ModuleStatus", ModuleStatus { ($0.state, $0.lastError) = (Word(.running), "") },
                least: ModuleStatus { $0.state = Word(.running) }),
            Sample("Status", Status()),
        ]
    }()
}
