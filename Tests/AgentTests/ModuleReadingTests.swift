import Testing

@testable import Agent

struct ModuleReadingTests {
    @Test("The three keys are read, and nothing is open without them")
    func keysAreRead() throws {
        let folder = try ConfigurationFolder(
            """
            [[module]]
            path = '/m'
            [[module]]
            path = '/n'
            network = true
            writable = ['/a/', '/b']
            init-arguments = "configdir='sql:/db'"
            [[module]]
            path = '/o'
            writable = []
            """)
        let modules = try folder.load().modules
        #expect(modules.map(\.hasNetwork) == [false, true, false])
        #expect(modules.map(\.writable) == [nil, ["/a", "/b"], []])
        #expect(modules.map(\.initArguments) == [nil, "configdir='sql:/db'", nil])
    }
}
