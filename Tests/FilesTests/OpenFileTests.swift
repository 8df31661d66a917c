import Files
import Foundation
import SystemPackage
import Testing

@Suite("An open file")
struct OpenFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func file(_ bytes: [UInt8]) throws -> String {
        let path = "\(folder.path)/file"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test(
        "All of a file is read up to the limit, and nothing of a longer one",
        arguments: [0, 1, 16_383, 16_384, 16_385, 50_000])
    func limit(size: Int) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let path = try file(bytes)
        #expect(try OpenFile.contents(of: path, atMost: size) == bytes)
        #expect(try OpenFile.contents(of: path, atMost: size + 1) == bytes)
        if size > 0 {
            #expect(throws: Errno.fileTooLarge) { try OpenFile.contents(of: path, atMost: size - 1) }
            #expect(OpenFile.beginning(of: path, size - 1) == (size > 1 ? Array(bytes.dropLast()) : nil))
        }
    }

    @Test("A file that cannot be read says why, and has no beginning")
    func unreadable() throws {
        let missing = "\(folder.path)/missing"
        #expect(throws: Errno.noSuchFileOrDirectory) { try OpenFile.contents(of: missing, atMost: 1) }
        #expect(throws: Errno.isDirectory) { try OpenFile.contents(of: folder.path, atMost: 1) }
        #expect(OpenFile.beginning(of: missing, 1) == nil)
    }

    @Test("A FIFO that nobody writes to is empty, and is not waited for")
    func fifo() throws {
        let path = "\(folder.path)/fifo"
        #expect(unsafe mkfifo(path, 0o600) == 0)
        #expect(try OpenFile.contents(of: path, atMost: 1) == [])
    }

    @Test("No program inherits an open file, and it is closed with its owner")
    func closed() throws {
        let path = try file([])
        let number: CInt
        do {
            let file = try OpenFile(path)
            number = file.number
            #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
            let target = try FileName.target(ofLink: "/proc/self/fd/\(number)")
            #expect(String(decoding: target, as: UTF8.self) == path)
        }
        // Another thread may have the number by now, for a file of its own.
        let target = try? FileName.target(ofLink: "/proc/self/fd/\(number)")
        #expect(target.map { String(decoding: $0, as: UTF8.self) } != path)
    }

    @Test("The names in a folder are all of them, until no more are wanted")
    func names() throws {
        let expected = ["a", ".hidden", String(repeating: "n", count: 255), "ä"]
        for name in expected {
            #expect(FileManager.default.createFile(atPath: "\(folder.path)/\(name)", contents: nil))
        }
        var found: [String] = []
        try OpenFile(folder.path, options: .directory).names { name in
            found.append(String(decoding: name, as: UTF8.self))
            return true
        }
        #expect(found.sorted() == ([".", ".."] + expected).sorted())
        var count = 0
        try OpenFile(folder.path, options: .directory).names { _ in
            count += 1
            return count < 2
        }
        #expect(count == 2)
    }

    @Test("A name that is removed is gone, and one that was not there is no error")
    func remove() throws {
        let path = try file([1])
        for _ in 1...2 { try FileName.remove(path) }
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(throws: Errno.isDirectory) { try FileName.remove(folder.path) }
    }
}
