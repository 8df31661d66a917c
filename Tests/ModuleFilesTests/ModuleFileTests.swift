import Foundation
import Testing
import TokenService

@testable import ModuleFiles

struct ModuleFileTests {
    /// The name as a symbol table has it, at a distance from the file's beginning that is near the size of a block.
    @Test(
        "A library that names C_GetFunctionList is found to do so, wherever the name stands",
        arguments: [
            0, 1, 65_518, 65_519, 65_530, 65_535, 65_536, 200_000,
        ])
    func named(_ distance: Int) throws {
        #expect(try asks([UInt8](repeating: 0x43, count: distance) + Array("C_GetFunctionList".utf8) + [0, 1, 2]))
    }

    @Test(
        "What does not name it is no module",
        arguments: [
            "", "C_GetFunctionList", "C_GetFunctionListX\0", "C_GetFunctionLis\0t\0", "c_getfunctionlist\0",
        ])
    func unnamed(_ content: String) throws {
        #expect(try !asks(Array(content.utf8)))
    }

    @Test("A library that only others' rules forbid is told by its rule, and what is no module by that")
    func library() throws {
        let folder = try TemporaryFolder()
        try folder.write("library", to: "module.so")
        let path = "\(folder.path)/module.so"
        #expect(throws: ModuleFile.Failure(reason: "\(path) is no PKCS#11 module: it has no C_GetFunctionList")) {
            try ModuleFile.library(at: path)
        }
        try folder.write("C_GetFunctionList\0", to: "module.so")
        #expect(try ModuleFile.library(at: path) == path)
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
        #expect(throws: ModuleFile.Failure.self) { try ModuleFile.library(at: path) }
    }

    @Test("A file that cannot be read is no module")
    func unreadable() { #expect(!ModuleFile.namesFunctionList("/nonexistent")) }

    private func asks(_ bytes: [UInt8]) throws -> Bool {
        let folder = try TemporaryFolder()
        try folder.write(bytes, to: "module.so")
        return ModuleFile.namesFunctionList("\(folder.path)/module.so")
    }
}

/// A library in folders of this user's own, and what others could do to it.
struct ModuleFileCheckTests {
    private let folder: TemporaryFolder
    private var library: String { "\(folder.path)/lib/module.so" }

    init() throws {
        folder = try TemporaryFolder(folders: ["lib"])
        try folder.write("library", to: "lib/module.so")
    }

    private func fault(_ path: String) -> String? {
        do throws(ModuleFile.Failure) {
            _ = try ModuleFile.check(path)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("A library that only root and this user can change is loaded by its real path")
    func real() throws {
        try folder.link("way", to: "lib")
        #expect(try ModuleFile.check("\(folder.path)/way/../way/module.so") == library)
    }

    @Test(
        "A library that others can change is refused, and so is one in a folder where they could put another",
        arguments: [("lib/module.so", 0o666), ("lib/module.so", 0o620), ("lib", 0o777), ("lib", 0o770)])
    func writable(_ name: String, _ mode: Int) throws {
        let path = "\(folder.path)/\(name)"
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        #expect(
            fault(library) == "\(path) can be changed by other users (mode \(String(mode, radix: 8))): chmod go-w it")
        try FileManager.default.setAttributes([.posixPermissions: mode & 0o755], ofItemAtPath: path)
        #expect(fault(library) == nil)
    }

    @Test("A folder whose files only their owners can move may be open to others, as /tmp is")
    func sticky() throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o1777], ofItemAtPath: "\(folder.path)/lib")
        #expect(fault(library) == nil)
    }

    @Test("A path that is missing, no file, or p11-kit's proxy is refused with that reason")
    func others() throws {
        #expect(
            fault("\(folder.path)/none.so")
                == "\(folder.path)/none.so: No such file or directory; check the module's path")
        #expect(fault("\(folder.path)/lib") == "\(folder.path)/lib is not a regular file")
        try folder.write("library", to: "libp11-kit.so.0.4.0")
        try folder.link("p11-kit-proxy.so", to: "libp11-kit.so.0.4.0")
        let proxy = "\(folder.path)/p11-kit-proxy.so"
        #expect(fault(proxy)?.hasPrefix("\(proxy) is p11-kit's proxy, which loads every registered module") == true)
    }

    @Test("Two paths to one file with the same settings are one module; no file is its path")
    func identity() throws {
        try folder.link("way", to: "lib")
        func identity(_ path: String, _ arguments: String? = nil) -> ModuleFile.Identity {
            ModuleFile.Identity(ModuleIdentity(path: "\(folder.path)/\(path)", initArguments: arguments))
        }
        #expect(identity("lib/module.so") == identity("way/module.so"))
        #expect(identity("lib/module.so") != identity("way/module.so", "x"))
        #expect(identity("none") == identity("none") && identity("none") != identity("lib/../none"))
    }
}
