import Testing

@testable import Prompts

@Suite("Where the person is who waits")
struct PromptPlaceTests {
    @Test(
        "Without a terminal and a display there is nobody to ask",
        arguments: [
            "", "TERM=xterm LANG=C", "TTY=", "TTY=pts/1", "TTY=/etc/passwd", "TTY=/dev/pts/../../etc/passwd",
            "TTY=/dev/pts/1;x", "DISPLAY=", "display=:0", "DISPLAY", "=:0", "DISPLAY=:0\u{1B}[2J", "DISPLAY=\u{FC}",
            "DISPLAY=" + String(repeating: "x", count: 513),
        ])
    func nobody(_ header: String) {
        #expect(PromptPlace(header: Array(header.utf8)) == nil)
    }

    @Test("Only the variables that pinentry needs are passed on")
    func environment() throws {
        let header = "TTY=/dev/pts/3 TERM=xterm LD_PRELOAD=/x PATH=/x DISPLAY=:0 HOME=/x LANG=de_DE.UTF-8 IFS=x A=B"
        let place = try #require(PromptPlace(header: Array(header.utf8)))
        #expect(place.terminal == "/dev/pts/3")
        #expect(place.environment == ["TERM": "xterm", "DISPLAY": ":0", "LANG": "de_DE.UTF-8"])
        #expect(
            place.options.map { "\($0.name)=\($0.value)" } == [
                "ttyname=/dev/pts/3", "ttytype=xterm", "display=:0", "lc-ctype=de_DE.UTF-8",
                "lc-messages=de_DE.UTF-8",
            ])
    }

    @Test("Only the agent's own user is asked", arguments: [(0, nil), (1000, 42), (1001, nil)] as [(UInt32, Int32?)])
    func ownUser(_ uid: UInt32, _ asked: Int32?) {
        let asking = Asking(
            uid: uid, agentUID: 1000, processID: 42, header: Array("DISPLAY=:0".utf8), isExplicit: false)
        #expect(asking?.processID == asked)
    }
}
