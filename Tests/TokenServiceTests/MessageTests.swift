import LockedMemory
import PKCS11URI
import SignatureSchemes
import Testing

@testable import TokenService

/// One of each message, every field filled.
enum Samples {
    static let token = TokenReference(
        slotID: 0xFFFF_0000_1234_5678,
        token: TokenDescription(label: [0xFF, 0x20], manufacturer: [1], model: [], serial: Array("0042".utf8)))
    static let snapshot = TokenSnapshot(
        slotID: 7, slot: SlotDescription(description: [3, 0xFF], manufacturer: []), token: token.token,
        flags: [.loginRequired, .userPINCountLow], isLoggedIn: true, pinLength: 4...255,
        certificates: [CertificateObject(id: [1], label: [2, 3], value: [0x30, 0])],
        keys: [
            KeyObject(
                keyClass: .privateKey, id: [1], label: [], publicHalf: .rsa(modulus: [9], exponent: [1, 0, 1]),
                canSign: true, alwaysAuthenticates: false),
            KeyObject(
                keyClass: .publicKey, id: [], label: [], publicHalf: .ec(parameters: [6], point: [4, 1]),
                canSign: false, alwaysAuthenticates: true),
        ], hasPSS: true, failure: "C_Something answered CKR_GENERAL_ERROR")
    static let readers = ReaderReport(
        version: .max, service: .reachable(connection: 7),
        readers: [
            CardReader(
                name: "Leser № 1", card: .mute, events: 65_535, removals: .max, isExclusive: true,
                holders: ["scdaemon (process 12)"]),
            CardReader(name: "", card: .absent, events: 0, isExclusive: false),
        ])
    static let failed = [FailedPIN(salt: [UInt8](repeating: 1, count: 16), hash: [UInt8](repeating: 2, count: 32))]
        .compactMap(\.self)[0]

    static let requests: [Request] =
        [
            .load(ModuleLoad(path: "/usr/lib/módule.so", sessions: 2)),
            .load(
                ModuleLoad(
                    path: "/m", sessions: 64, initArguments: "configdir='sql:/db'",
                    walls: WorkerWalls(hasNetwork: true, writable: ["/a", "/b"]))), .presence, .renewSessions,
            .registeredModules, .management([]), .management([1, 2]),
            .readers(.now), .readers(.reset([0xFF, 0x20])),
            .readers(.after(.max)), .logOut(nil), .logOut(token),
            .list(.all(sparing: [])), .list(.all(sparing: [token.token, token.token])), .list(.one(token)),
            .logIn(LoginRequest(token: token, source: .typed, refused: [])),
            .logIn(LoginRequest(token: token, source: .file(path: "/run/pin"), refused: [failed, failed])),
            .logIn(LoginRequest(token: token, source: .credential(path: "/run/c/pin"), refused: [])),
            .logIn(LoginRequest(token: token, source: .protected, refused: [])),
            .logIn(LoginRequest(token: token, source: .typed, refused: [], mayBeReserved: true)),
            .logIn(LoginRequest(token: token, source: .typed, refused: [], isFromLogin: true)),
            .sign(
                SignRequest(
                    token: token, keyID: [1], publicHalf: nil, scheme: SignatureScheme(.ecdsa, .sha256),
                    message: [1, 2],
                    digest: [3])),
            .sign(
                SignRequest(
                    token: token, keyID: [], keyLabel: [9], publicHalf: .other(keyType: .max),
                    scheme: SignatureScheme(.ecdsa, .sha256), message: [], digest: [])),
            .sign(
                SignRequest(
                    token: token, keyID: [], publicHalf: nil, scheme: SignatureScheme(.rsaPSS, .sha512), message: [1],
                    digest: [2],
                    source: .credential(path: "/run/c/pin"), refused: [failed], mayBeReserved: true)),
        ]
        + [SigningDay("20261127".utf8)].compactMap(\.self).flatMap { day in
            [
                .dateKey(DateKeyRequest(token: token, keyID: nil, keyLabel: [0xFF], day: day)),
                .dateKey(DateKeyRequest(token: token, keyID: [], keyLabel: nil, day: day)),
            ] as [Request]
        }
    static let replies: [Reply] =
        [
            .loaded(ModuleReport(manufacturer: [1], description: [2], version: "2.6")), .tokens([]),
            .loaded(ModuleReport(manufacturer: [], description: [], version: "", usesCardReaders: true)),
            .present([]), .present([token, token]), .renewed, .readers(readers), .reset,
            .registeredModules([
                RegisteredModule(name: "nss", path: "/m.so", initArguments: "configdir='sql:/db'", isTrusted: true),
                RegisteredModule(name: "far", path: nil),
            ]),
            .verifiedCards([]), .verifiedCards([[0xFF], []]), .management([]), .management([0xFF]),
            .readers(ReaderReport(version: 1, service: .unreachable(.refused), readers: [])),
            .tokens([snapshot, snapshot]), .loggedOut, .signature([0x30, 1]),
            .failed(WorkerFailure(.gesture, returnValue: 0x50, text: "C_Sign answered CKR_FUNCTION_CANCELED")),
            .failed(WorkerFailure(.protocol, text: "")),
            .login(.loggedIn), .login(.notNeeded),
            .login(.rejected(returnValue: 0xA0, name: "CKR_PIN_INCORRECT", failed: failed)),
            .login(.rejected(returnValue: 0xA0, name: "", failed: failed, oddities: PINOddity.allCases)),
            .login(.rejected(returnValue: 1 << 40, name: "0x10000000000", failed: nil)),
        ] + refusals.map { .login(.refused($0)) }
    static let refusals: [LoginRefusal] = [
        .locked, .finalTry, .countLow, .toBeChanged, .notInitialized, .length(shortest: 4, longest: 255), .knownWrong,
        .unreadable(reason: "it is empty"), .noPinpad, .notHeld,
        .reserved, .controlByte,
    ]
}

@Suite("The messages between agent and worker")
struct MessageTests {
    @Test("A request arrives as it was sent", arguments: Samples.requests)
    func requestArrives(request: Request) throws {
        #expect(try Request(kind: request.kind, body: request.body) == request)
    }

    @Test(
        "A refused PIN is 16 bytes of salt and 32 of hash, or none", arguments: [(15, 32), (17, 32), (16, 0), (0, 33)])
    func refusedPIN(salt: Int, hash: Int) {
        #expect(FailedPIN(salt: [UInt8](repeating: 1, count: salt), hash: [UInt8](repeating: 1, count: hash)) == nil)
        // As `.login(.rejected(…))` has it, whose fields before are 8 bytes and an empty text.
        var body: [UInt8] = [4] + [UInt8](repeating: 0, count: 12) + [0, 0, 0, 1]
        for count in [salt, hash] { body += [0, 0, 0, UInt8(count)] + [UInt8](repeating: 1, count: count) }
        #expect(throws: WireError.self) { try Reply(kind: 131, body: body) }
    }

    @Test("A reply arrives as it was sent", arguments: Samples.replies)
    func replyArrives(reply: Reply) throws {
        #expect(try Reply(kind: reply.kind, body: reply.body) == reply)
    }

    @Test("A request that is cut short or goes on is none", arguments: Samples.requests)
    func requestEnds(request: Request) {
        for length in 0..<request.body.count {
            #expect(throws: WireError.self) {
                try Request(kind: request.kind, body: Array(request.body.prefix(length)))
            }
        }
        #expect(throws: WireError.trailingBytes) { try Request(kind: request.kind, body: request.body + [0]) }
    }

    @Test("A reply that is cut short or goes on is none", arguments: Samples.replies)
    func replyEnds(reply: Reply) {
        for length in 0..<reply.body.count {
            #expect(throws: WireError.self) { try Reply(kind: reply.kind, body: Array(reply.body.prefix(length))) }
        }
        #expect(throws: WireError.trailingBytes) { try Reply(kind: reply.kind, body: reply.body + [0]) }
    }

    @Test("A count that is a lie allocates nothing")
    func counts() {
        let many = [UInt8](repeating: 0xFF, count: 4)
        #expect(throws: WireError.truncated) { try Reply(kind: 130, body: many) }
        #expect(throws: WireError.truncated) { try Reply(kind: 133, body: many) }
        #expect(throws: WireError.truncated) { try Request(kind: 1, body: many + [1, 2, 3]) }
    }

    @Test("Bytes changed at random are read or refused, and never end the process")
    func mutations() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            for reply in Samples.replies where !reply.body.isEmpty {
                var body = reply.body
                body[Int.random(in: 0..<body.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
                _ = try? Reply(kind: reply.kind, body: body)
            }
        }
    }

    /// Written out from the table in FrameHeader's documentation.
    @Test("A frame begins with version, kind, secret's length, number and body's length")
    func header() throws {
        let header = FrameHeader(kind: 3, secretLength: 6, number: 0x0102_0304, bodyLength: 258)
        let bytes: [UInt8] = [1, 3, 0, 6, 1, 2, 3, 4, 0, 0, 1, 2]
        #expect(header.bytes == bytes)
        #expect(try FrameHeader(bytes) == header)
    }

    @Test(
        "A header of another version, with too long a secret or body, or of another length is refused",
        arguments: [
            ([2, 3, 0, 6, 1, 2, 3, 4, 0, 0, 1, 2], WireError.version),
            ([1, 3, 1, 0, 1, 2, 3, 4, 0, 0, 1, 2], .tooLong), ([1, 3, 0, 6, 1, 2, 3, 4, 0xFF, 0, 1, 2], .tooLong),
            ([1, 3, 0, 6, 1, 2, 3, 4, 0, 0, 1], .truncated), ([1, 3, 0, 6, 1, 2, 3, 4, 0, 0, 1, 2, 3], .trailingBytes),
        ] as [([UInt8], WireError)])
    func badHeader(bytes: [UInt8], error: WireError) {
        #expect(throws: error) { try FrameHeader(bytes) }
    }
}
