import Files
import Foundation
import PKCS11URI
import Testing
import TokenService

@testable import Tokens

@Suite("The file of refused PINs")
final class RefusedPINsFileTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("refused-\(UUID())")
    private var path: String { folder.appendingPathComponent("agent.sock.refused-pins").path }
    private var file: RuntimeFile { RuntimeFile(path: path) }

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: folder) }  // what is left is in the temporary folder

    private static func key(_ label: String) -> TokenKey {
        TokenKey(
            module: ModuleIdentity(path: "/m.so"),
            token: TokenDescription(label: Array(label.utf8), manufacturer: [], model: [], serial: []))
    }

    /// More than is ever read, which is what a file of ours looks like that cannot be read.
    private func makeUnreadable() throws {
        #expect(
            FileManager.default.createFile(
                atPath: path, contents: Data(count: RuntimeFile.most + 1), attributes: [.posixPermissions: 0o600]))
    }

    @Test("A file that cannot be read leaves every token in doubt, and no file none")
    func unreadable() throws {
        #expect(PINTries.Record(file.read()).unlockedSinceUnknown == nil)
        try makeUnreadable()
        #expect(PINTries.Record(file.read()).unlockedSinceUnknown == [])
    }

    @Test("The doubt outlives the next writing and the next restart")
    func kept() throws {
        try makeUnreadable()
        var tries = PINTries.Record(file.read())
        tries.unanswered = [Self.key("a")]
        try file.keep(tries.bytes)
        #expect(PINTries.Record(file.read()) == tries)
        try file.keep(PINTries.Record(unlockedSinceUnknown: []).bytes)
        #expect(PINTries.Record(file.read()) == PINTries.Record(unlockedSinceUnknown: []))
    }

    @Test("In doubt no PIN is sent to a token until a person unlocks it, and that says nothing of another token")
    func doubt() throws {
        var ledger = TokenLedger(tries: PINTries.Record(unlockedSinceUnknown: []))
        let (one, other) = (Self.key("one"), Self.key("other"))
        guard case .refuse(.unanswered) = ledger.decide(.typed, to: one, at: 0) else {
            Issue.record("a PIN was sent")
            return
        }
        #expect(ledger.decideToAsk(for: one, isExplicit: false) == .unanswered)
        #expect(ledger.decideToAsk(for: one, isExplicit: true) == nil)
        guard case .send = ledger.decide(.typed, to: one, at: 0) else {
            Issue.record("no PIN was sent")
            return
        }
        #expect(ledger.tries.owesAnswer(other))
        let unsaved = ledger.takeUnsavedTries()
        let record = try #require(unsaved)
        // It owes the answer to that PIN now.
        #expect(PINTries.Record(.bytes(record.bytes)) == record && record.unanswered == [one])
    }

    @Test("A token that a person has unlocked in doubt is in no doubt for the next agent")
    func unlocked() throws {
        var ledger = TokenLedger(tries: PINTries.Record(unlockedSinceUnknown: []))
        let (one, other) = (Self.key("one"), Self.key("other"))
        #expect(ledger.beginUnlock(one, .typed, asOf: .init()) == nil)
        let unsaved = ledger.takeUnsavedTries()
        let record = try #require(unsaved)
        let next = TokenLedger(tries: PINTries.Record(.bytes(record.bytes)))
        #expect(!next.tries.owesAnswer(one) && next.tries.owesAnswer(other))
    }
}
