import Foundation
import Glibc
import PKCS11URI
import SignatureSchemes
import Testing
import TokenService

@testable import Tokens

/// What a worker says is written in hexadecimal: version, kind, length of the secret, number, length of the body, body.
@Suite("A worker that says what it was not asked")
struct WorkerProcessTests {
    private static let renewed = "01 91 0000 00000001 00000000"

    /// A worker that says this once it has been asked something, of so many bytes, and then nothing for as long as it lives.
    private func worker(
        saying frames: String, repeated: Int = 1, after count: Int = 12, on socket: Int = 3
    ) throws -> WorkerProcess {
        let bytes = frames.split(separator: " ").joined().bytePairs.map { "\\x\($0)" }.joined()
        let path = "\(FileManager.default.temporaryDirectory.path)/worker-\(UUID().uuidString)"
        let script = """
            rm -f "$BASH_ENV"
            head -c \(count) <&\(socket) >/dev/null
            for _ in {1..\(repeated)}; do printf '\(bytes)' >&3; done
            exec sleep 60

            """
        // A file that is read: a program could not be started while a child of another test still has it open for writing.
        try script.write(toFile: path, atomically: false, encoding: .utf8)
        let environment = ["PATH": "/usr/bin:/bin", "BASH_ENV": path]
        return try WorkerProcess(WorkerStart.Program(executable: "/bin/bash", environment: environment) { _ in })
    }

    private func ask(_ worker: WorkerProcess, _ request: Request = .renewSessions) async -> Result<Reply, WorkerLoss> {
        await worker.ask(request, deadline: 30_000, clock: .system)
    }

    private func isEnded(_ answer: Result<Reply, WorkerLoss>) -> Bool {
        guard case .failure(let loss) = answer, case .ended(let why) = loss.cause else { return false }
        return loss.cause != .killed && why.hasPrefix("it said what it was not asked")
    }

    @Test("An answer to what it was asked is taken")
    func answer() async throws {
        let worker = try worker(saying: Self.renewed)
        #expect(await ask(worker) == .success(.renewed))
        worker.kill(.stopped)
    }

    @Test(
        "Anything else ends it, and is told apart from a kill from outside",
        arguments: [
            "01 91 0000 00000007 00000000",  // renewed, number 7
            "01 82 0000 00000000 00000004 00000000",  // an empty list of tokens, number 0
            "01 01 0000 00000001 00000000",  // a request
            "02 91 0000 00000001 00000000",  // another version
            "01 91 0000 00000001 00000001 00",  // a body that is too long
            "01 91 0000 00000001 7fffffff",
            "01 94 0000 00000001 00000004 00000000",  // its word on cards, as an answer
            "01 94 0000 00000000 0000000a 00000001 00000002 4142",  // a card, and it was asked to log in to none
        ])
    func nonsense(frames: String) async throws {
        let worker = try worker(saying: frames)
        #expect(isEnded(await ask(worker)))
        let next = await ask(worker)
        guard case .failure(let loss) = next else { return #expect(Bool(false), "\(next)") }
        #expect(!loss.wasSent)
    }

    @Test("A signature that hangs is given up after four times its limit, however many were before it")
    func hang() async throws {
        let request = Request.sign(Self.signing([]))
        let answers = (1...29).map { "01 85 0000 000000\(String($0, radix: 16).leftPadded) 00000004 00000000" }
        let worker = try worker(saying: answers.joined(separator: " "), after: 30 * (12 + request.body.count), on: 4)
        let began = ContinuousClock.now
        await withTaskGroup { group in
            for _ in 1...30 { group.addTask { _ = await worker.ask(request, deadline: 300, clock: .system) } }
        }
        #expect(.now - began < .seconds(6))
    }

    @Test("What it takes no more of is refused, and costs it and those that wait nothing")
    func full() async throws {
        let worker = try worker(saying: Self.renewed, after: 12)
        let long = Request.sign(Self.signing([UInt8](repeating: 0, count: PacketSocket.longest)))
        #expect(await worker.ask(long, deadline: 30_000, clock: .system) == .failure(.full))
        let request = Request.sign(Self.signing([UInt8](repeating: 0, count: 64 << 10)))
        let refused = await withTaskGroup { group in
            for _ in 1...100 { group.addTask { await worker.ask(request, deadline: 30_000, clock: .system) } }
            // Those that were sent wait for an answer, which never comes.
            let first = await group.next()
            #expect(worker.processID > 0 && kill(worker.processID, 0) == 0)
            worker.kill(.stopped)
            return await group.reduce(into: [first]) { $0.append($1) }.count { $0 == .failure(.full) }
        }
        #expect((1..<100).contains(refused))
    }

    private static func signing(_ message: [UInt8]) -> SignRequest {
        let token = TokenDescription(label: [0x41], manufacturer: [], model: [], serial: [])
        return SignRequest(
            token: TokenReference(slotID: 1, token: token), keyID: [], keyLabel: nil, publicHalf: nil,
            scheme: SignatureScheme(.ecdsa, .sha256), message: message, digest: [])
    }

    @Test("A second answer to the same request ends it")
    func twice() async throws {
        let worker = try worker(saying: Self.renewed, repeated: 2)
        #expect(await ask(worker) == .success(.renewed))
        #expect(isEnded(await ask(worker)))
    }

    @Test(
        "It may name as many cards as it was asked to log in to, and not for ever",
        arguments: [(words: 1, isTooMuch: false), (1025, true)])
    func cards(words: Int, isTooMuch: Bool) async throws {
        let card = "01 94 0000 00000000 0000000a 00000001 00000002 4142"
        let token = TokenDescription(label: [0x41], manufacturer: [], model: [], serial: [])
        let login = LoginRequest(token: TokenReference(slotID: 1, token: token), source: .protected, refused: [])
        let worker = try worker(saying: card, repeated: words)
        // Those that are read to the end of the login's time cost it nothing.
        let answer = await worker.ask(.logIn(login), deadline: isTooMuch ? 30_000 : 500, clock: .system)
        #expect(isEnded(answer) == isTooMuch)
        if !isTooMuch { #expect(answer == .failure(WorkerLoss(cause: .deadline(milliseconds: 500)))) }
    }
}

extension String {
    fileprivate var leftPadded: String { count < 2 ? "0\(self)" : self }

    fileprivate var bytePairs: [Substring] {
        stride(from: 0, to: count, by: 2).map { dropFirst($0).prefix(2) }
    }
}
