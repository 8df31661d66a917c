import Files
import Foundation
import ModuleFiles
import PKCS11URI
import SystemPackage
import Testing
import TokenService

@testable import Tokens

@Suite("The file of locks")
final class LockFileTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("locks-\(UUID())")
    private var path: String { folder.appendingPathComponent("agent.sock.locked").path }

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: folder) }  // what is left is in the temporary folder

    private var file: RuntimeFile { RuntimeFile(path: path) }

    private static func key(_ label: String) -> TokenKey {
        TokenKey(
            module: ModuleIdentity(path: "/usr/lib/a b.so"),
            token: TokenDescription(label: Array(label.utf8), manufacturer: [0, 10, 32], model: [], serial: [255]))
    }

    static let sets: [LockSet] = [
        LockSet(isAllLocked: true), LockSet(exceptions: [key("one")]), LockSet(exceptions: [key("one"), key("")]),
        LockSet(isAllLocked: true, exceptions: [key("one"), key("other\n")]),
    ]

    @Test("What is locked is locked for the next agent", arguments: sets)
    func kept(locks: LockSet) throws {
        #expect(LockSet(file.read()) == LockSet())
        try file.keep(locks.bytes)
        #expect(LockSet(file.read()) == locks)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        try file.keep(LockSet().bytes)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test(
        "A file of ours that cannot be understood locks everything",
        arguments: [
            "", "some", "some\n61 62\n", "some\nzz\n", "other\n", "all\n61 62 63 64 65 66\n",
            "some\n61 62 63 64 65", "some\n61  62 63 64\n6\n",
        ])
    func garbled(text: String) throws {
        #expect(
            FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]))
        #expect(LockSet(file.read()) == LockSet(isAllLocked: true))
    }

    @Test("What would be too long to read again is not written, and what is written stays")
    func tooLong() throws {
        let longest = [UInt8](repeating: 0x61, count: RuntimeFile.most)
        try file.write(longest)
        #expect(throws: Errno.fileTooLarge) { try file.write(longest + [0x62]) }
        #expect(file.read() == .bytes(longest))
    }

    @Test("A file that others may have written, and a link, lock nothing")
    func foreign() throws {
        #expect(
            FileManager.default.createFile(
                atPath: path, contents: Data("all\n".utf8), attributes: [.posixPermissions: 0o666]))
        #expect(LockSet(file.read()) == LockSet())
        try FileManager.default.moveItem(atPath: path, toPath: "\(path).moved")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(path).moved")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "\(path).moved")
        #expect(LockSet(file.read()) == LockSet())
    }

    @Test("Locks that cannot be written are an error, and no locks are none")
    func unwritable() throws {
        let file = RuntimeFile(path: "\(path)/beside/nothing")
        #expect(throws: Errno.noSuchFileOrDirectory) { try file.keep(LockSet(isAllLocked: true).bytes) }
        try file.keep(LockSet().bytes)
    }
}
