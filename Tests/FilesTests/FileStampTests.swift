import Files
import Foundation
import Testing

@Suite("A file's stamp")
struct FileStampTests {
    @Test("Another content, another mode and another file are other stamps; no file is none")
    func changes() throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let file = URL(filePath: folder.path + "/client.pem")
        #expect(FileStamp(file.path) == nil)
        try Data("one".utf8).write(to: file)
        var stamps = [FileStamp(file.path)]
        #expect(FileStamp(file.path) == stamps[0])
        try Data("three".utf8).write(to: file)
        stamps.append(FileStamp(file.path))
        try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: file.path)
        stamps.append(FileStamp(file.path))
        let new = URL(filePath: folder.path + "/new.pem")
        try Data("three".utf8).write(to: new)
        try FileManager.default.removeItem(at: file)
        try FileManager.default.moveItem(at: new, to: file)
        stamps.append(FileStamp(file.path))
        try FileManager.default.removeItem(at: file)
        stamps.append(FileStamp(file.path))
        #expect(stamps.last == .some(nil))
        #expect(Set(stamps).count == 5)
    }
}
