import Glibc
import Testing

@testable import ModuleFiles

@Suite("The way to a folder")
struct PathTrailTests {
    @Test(
        "A path leads where realpath(3) says",
        arguments: [
            "/", "//", "/usr/../var/./lib//", "/../..", "/proc/self/../self/fd/..", "/dev/fd", "/bin", "/etc/mtab",
        ])
    func target(_ path: String) throws {
        let real = unsafe realpath(path, nil)
        defer { unsafe free(real) }
        let expected = unsafe real.map { unsafe String(cString: $0) }
        #expect(PathTrail(path)?.target == expected)
    }

    @Test("A path that does not exist stands for itself")
    func missing() { #expect(PathTrail("/usr/../nonexistent/a/../b")?.target == "/nonexistent/b") }

    @Test("Every folder is known in which a name was looked up")
    func folders() throws {
        let folder = try TemporaryFolder()
        try folder.link("link", to: "/usr/share")
        let trail = try #require(PathTrail("\(folder.path)/link/doc/.."))
        #expect(trail.target == "/usr/share")
        #expect(trail.folders.isSuperset(of: ["/", "/tmp", folder.path, "/usr", "/usr/share", "/usr/share/doc"]))
        #expect(!trail.folders.contains("\(folder.path)/link"))
    }

    @Test("A relative path has no way, and a circle no end")
    func noWay() throws {
        let folder = try TemporaryFolder()
        try folder.link("circle", to: "circle")
        for path in ["", "relative", "\(folder.path)/circle"] { #expect(PathTrail(path) == nil) }
    }
}
