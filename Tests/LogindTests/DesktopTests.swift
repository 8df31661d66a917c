import Testing

@testable import Logind

struct DesktopTests {
    @Test(
        "A bus is there where its socket's file is, and is never a program to start",
        arguments: [
            ("unix:path=/dev/null", true), ("unix:path=/dev/null,guid=00ff", true),
            ("unix:guid=00ff,path=/dev/null", true),
            ("unix:path=/dev/null;unix:path=/nonexistent", true), ("unix:abstract=/tmp/bus", true),
            ("unix:path=/a%20b", true), ("unix:path=/nonexistent", false), ("unix:path=", false), ("", false),
            ("autolaunch:", false), ("tcp:host=localhost,port=1", false), ("unixexec:path=/bin/true", false),
            ("unix:path=/dev/null;unixexec:path=/bin/true", false),
        ])
    func addresses(address: String, isThere: Bool) {
        #expect(Desktop.isThere(address) == isThere)
    }

    @Test("Without a bus that is said, and nothing else happens", arguments: [nil, "unix:path=/nonexistent"])
    func noBus(address: String?) async {
        let desktop = Desktop(address: address)
        await desktop.show("a", "b")
        #expect(desktop.failure == "there is no session bus")
    }
}
