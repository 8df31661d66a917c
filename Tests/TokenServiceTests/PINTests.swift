import Foundation
import LockedMemory
import Testing

@testable import TokenService

@Suite("PINs and their files")
struct PINTests {
    private func read(_ content: [UInt8], mode: Int = 0o600, isCredential: Bool = false) throws -> [UInt8] {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("pin-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(content).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        let pin = try PIN(file: path, isCredential: isCredential)
        return pin.withBytes { bytes in bytes.indices.map { bytes[$0] } }
    }

    @Test(
        "One line is the PIN, with one line end or none",
        arguments: [
            ("123456", "123456"), ("123456\n", "123456"), ("123456\r\n", "123456"), ("pin with ü\n", "pin with ü"),
            (String(repeating: "x", count: 255), String(repeating: "x", count: 255)),
            ("\u{FEFF}123456\r\n", "123456"), ("\u{FEFF}\u{FEFF}1\u{FEFF}", "1\u{FEFF}"),
            ("12\u{FEFF}3456", "12\u{FEFF}3456"),
            (" \"12\u{A0}\" ", " \"12\u{A0}\" "),
        ])
    func lines(content: String, pin: String) throws {
        #expect(try read(Array(content.utf8)) == Array(pin.utf8))
    }

    @Test(
        "What is no PIN is refused by its own reason",
        arguments: [
            ("", PINError.empty), ("\n", .empty), ("\r\n", .empty), ("12\n34\n", .controlByte), ("12\0", .controlByte),
            ("123456\n\n", .controlByte), ("\t1234", .controlByte), (String(repeating: "x", count: 256), .tooLong),
            ("\u{FEFF}", .empty), ("\u{FEFF}\u{FEFF}\n", .empty),
        ])
    func refusals(content: String, error: PINError) {
        #expect(throws: error) { try read(Array(content.utf8)) }
    }

    @Test(
        "What is not UTF-8 is no PIN",
        arguments: [[0xFF, 0xFE, 0x31], [0x31, 0xFC, 0x32], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]] as [[UInt8]])
    func notUTF8(content: [UInt8]) {
        #expect(throws: PINError.notUTF8) { try read(content) }
    }

    @Test(
        "What may be in a PIN by mistake is named",
        arguments: [
            ("123456", []), ("12 34", []), ("pin-ü", []), ("\"", []), ("\"1'", []), (" 1", [.blankBefore]),
            ("1 ", [.blankAfter]),
            (" ", [.blankBefore, .blankAfter]), ("\"12\"", [.quotes]), ("'1'", [.quotes]),
            ("1\u{A0}2", [.noBreakSpace]),
            ("1\u{3000}", [.noBreakSpace]), ("\u{200B}1", [.zeroWidthSpace]), ("1\u{FEFF}", [.zeroWidthSpace]),
            (" '1\u{2060}\u{202F}", [.blankBefore, .noBreakSpace, .zeroWidthSpace]),
        ] as [(String, [PINOddity])])
    func oddities(text: String, oddities: [PINOddity]) throws {
        let pin = try unsafe PIN { page in
            unsafe page.copyBytes(from: text.utf8)
            return text.utf8.count
        }
        #expect(pin.oddities == oddities)
    }

    @Test("A file that others may read is refused", arguments: [0o604, 0o640, 0o660, 0o644, 0o601])
    func modes(mode: Int) {
        #expect(throws: PINError.self) { try read(Array("1234".utf8), mode: mode) }
    }

    @Test("A systemd credential may show the group's read bit, which is the mask of its access list")
    func credential() throws {
        #expect(try read(Array("1234".utf8), mode: 0o440, isCredential: true) == Array("1234".utf8))
        #expect(throws: PINError.self) { try read(Array("1234".utf8), mode: 0o444, isCredential: true) }
    }

    @Test("A link, a folder and a missing file are refused")
    func kinds() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pins-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let link = folder.appendingPathComponent("link").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/etc/hostname")
        #expect(throws: PINError.unreadable(errno: ELOOP)) { _ = try PIN(file: link, isCredential: false) }
        #expect(throws: PINError.unsafeFile(reason: "it is not a regular file")) {
            _ = try PIN(file: folder.path, isCredential: false)
        }
        #expect(throws: PINError.unreadable(errno: ENOENT)) {
            _ = try PIN(file: folder.path + "/none", isCredential: false)
        }
    }
}
