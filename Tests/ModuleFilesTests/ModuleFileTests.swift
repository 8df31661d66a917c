import ModuleFiles
import Testing

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

    @Test("A file that cannot be read is no module")
    func unreadable() { #expect(!ModuleFile.namesFunctionList("/nonexistent")) }

    private func asks(_ bytes: [UInt8]) throws -> Bool {
        let folder = try TemporaryFolder()
        try folder.write(bytes, to: "module.so")
        return ModuleFile.namesFunctionList("\(folder.path)/module.so")
    }
}
