import Foundation
import Testing

@testable import Agent

/// What systemd passes in, and what it is told.
@Suite struct ServerServiceManagerTests {
    static func bound(_ type: __socket_type, path: String, listening: Bool) throws -> CInt {
        let descriptor = socket(AF_UNIX, Int32(type.rawValue), 0)
        let address = try #require(UnixAddress(path: path))
        try #require(unsafe address.call { unsafe Glibc.bind(descriptor, $0, $1) } == 0)
        if listening { try #require(listen(descriptor, 5) == 0) }
        return descriptor
    }

    @Test("A listening Unix stream socket is taken over, and its file stays when it ends") func takenOver() throws {
        let folder = try ServerTestFolder()
        let listener = try SocketListener(checking: Self.bound(SOCK_STREAM, path: folder.socket, listening: true))
        #expect(throws: Never.self) { try ServerTestClient(path: folder.socket) }
        #expect(listener.path == nil)
        let descriptor = try #require(listener.claim())
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        close(descriptor)
        listener.removeName()
        #expect(FileManager.default.fileExists(atPath: folder.socket))
    }

    @Test("Anything else that was passed in is named") func notASocket() throws {
        let folder = try ServerTestFolder()
        var refused: [(CInt, String)] = []
        refused.append((unsafe open("/dev/null", O_RDONLY), "is no socket"))
        refused.append((socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0), "it is no Unix socket"))
        refused.append(
            (try Self.bound(SOCK_DGRAM, path: folder.path + "/d", listening: false), "it is no stream socket"))
        refused.append((try Self.bound(SOCK_STREAM, path: folder.path + "/s", listening: false), "it does not listen"))
        refused.append(
            (
                try Self.bound(SOCK_STREAM, path: "\0tokenward-test-\(getpid())", listening: true),
                "it has an abstract name"
            ))
        for (descriptor, reason) in refused {
            let error = #expect(throws: ListenerError.self) { try SocketListener(checking: descriptor) }
            #expect(error?.message.contains(reason) == true)
            close(descriptor)
        }
    }

    @Test(
        "Variables for nobody, for another process or for none are not for us",
        arguments: [
            [:], ["LISTEN_FDS": "1"], ["LISTEN_FDS": "1", "LISTEN_PID": "8"], ["LISTEN_FDS": "0", "LISTEN_PID": "7"],
            ["LISTEN_PID": "7"],
        ])
    func notForUs(environment: [String: String]) throws {
        #expect(try SocketListener.inherited(environment: environment, pid: 7) == nil)
    }

    @Test("More than one socket is an error", arguments: ["2", "-1", "x", ""]) func tooMany(count: String) {
        #expect(throws: ListenerError.inherited(reason: "there are \(count), and one is expected")) {
            try SocketListener.inherited(environment: ["LISTEN_FDS": count, "LISTEN_PID": "7"], pid: 7)
        }
    }

    @Test("The service manager is told, on a path and on an abstract name", arguments: [false, true])
    func notify(isAbstract: Bool) throws {
        let folder = try ServerTestFolder()
        let name = isAbstract ? "@tokenward-notify-\(getpid())" : folder.path + "/notify"
        let descriptor = try Self.bound(SOCK_DGRAM, path: isAbstract ? "\0" + name.dropFirst() : name, listening: false)
        defer { close(descriptor) }
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": name])
        notifier.notify(.ready)
        notifier.notify(.status("2 tokens\nREADY=0"))
        notifier.notify(.reloading)
        notifier.notify(.stopping)
        #expect(Self.receive(descriptor) == "READY=1")
        #expect(Self.receive(descriptor) == "STATUS=2 tokens READY=0")
        #expect(try Self.receive(descriptor).wholeMatch(of: Regex("RELOADING=1\nMONOTONIC_USEC=[0-9]+")) != nil)
        #expect(Self.receive(descriptor) == "STOPPING=1")
    }

    @Test(
        "Without a manager, or with one that is gone, nothing happens",
        arguments: [[:], ["NOTIFY_SOCKET": ""], ["NOTIFY_SOCKET": "relative"], ["NOTIFY_SOCKET": "/nowhere/at/all"]])
    func nobody(environment: [String: String]) {
        ServiceNotifier(environment: environment).notify(.ready)
    }

    static func receive(_ descriptor: CInt) -> String {
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
}
