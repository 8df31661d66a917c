import Foundation
import SystemPackage
import Testing

@testable import Agent

@Suite struct ServerSocketTests {
    /// What lies at the path before the start.
    enum Obstacle: String, CaseIterable, Sendable {
        case regularFile = "a regular file"
        case directory = "a directory"
        case fifo = "a FIFO"
        case symbolicLink = "a symbolic link"
        case danglingLink = "a symbolic link "
    }

    @Test("Whatever is in the socket's place is named and left alone", arguments: Obstacle.allCases)
    func occupied(obstacle: Obstacle) throws {
        let folder = try ServerTestFolder()
        let path = folder.socket
        switch obstacle {
        case .regularFile: try Data("x".utf8).write(to: URL(filePath: path))
        case .directory: try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        case .fifo: try unsafe #require(mkfifo(path, 0o600) == 0)
        case .symbolicLink: try #require(unsafe symlink("/etc/passwd", path) == 0)
        case .danglingLink: try #require(unsafe symlink("nowhere", path) == 0)
        }
        let kind = obstacle.rawValue.trimmingCharacters(in: .whitespaces)
        #expect(throws: ListenerError.unusable(path: path, reason: "\(kind) is in the socket's place")) {
            try SocketListener(path: path, scope: .user)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["agent.sock"])
    }

    @Test(
        "The mode is right whatever the umask, in each scope", arguments: [(AgentScope.user, 0o600), (.system, 0o666)])
    func mode(scope: AgentScope, expected: Int) throws {
        let folder = try ServerTestFolder()
        let path = folder.path + "/made/agent.sock"
        let listener = try SocketListener(path: path, scope: scope)
        let socket = try FileManager.default.attributesOfItem(atPath: path)
        let directory = try FileManager.default.attributesOfItem(atPath: folder.path + "/made")
        #expect(socket[.posixPermissions] as? Int == expected)
        #expect(directory[.posixPermissions] as? Int == (scope == .user ? 0o700 : 0o755))
        listener.removeName()
    }

    @Test("A path may have 107 bytes and no more") func length() throws {
        let folder = try ServerTestFolder()
        let fits = folder.path + "/" + String(repeating: "s", count: 107 - folder.path.utf8.count - 1)
        _ = try SocketListener(path: fits, scope: .user)
        let error = #expect(throws: ListenerError.self) { try SocketListener(path: fits + "s", scope: .user) }
        #expect(error?.message == "\(fits)s: the path has 108 bytes, and a socket's has at most 107 (unix(7))")
    }

    @Test(
        "A path that is not absolute, or names no file, is refused",
        arguments: ["", "agent.sock", "./a", "/tmp/", "/tmp/..", "\0abstract", "/tmp/a\0b"])
    func notAPath(path: String) {
        #expect(throws: ListenerError.self) { try SocketListener(path: path, scope: .user) }
    }

    @Test("Only the last directory is made") func missingParents() throws {
        let folder = try ServerTestFolder()
        #expect(throws: ListenerError.failed(call: "mkdir", path: folder.path + "/a/b", errno: .noSuchFileOrDirectory))
        {
            try SocketListener(path: folder.path + "/a/b/agent.sock", scope: .user)
        }
    }

    @Test(
        "A directory that others can write to is refused, wherever it is above the socket",
        arguments: [0o777, 0o775, 0o722, 0o1777])
    func writable(mode: Int) throws {
        let folder = try ServerTestFolder()
        let open = folder.path + "/open"
        let inner = open + "/inner"
        try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: open)
        let isSafe = mode == 0o1777 && geteuid() == 0  // sticky, and root's
        for path in [open + "/agent.sock", inner + "/agent.sock"] {
            if isSafe {
                _ = try SocketListener(path: path, scope: .user)
            } else {
                #expect(
                    throws: ListenerError.unusable(path: open, reason: "others can write to the directory (chmod go-w)")
                ) {
                    try SocketListener(path: path, scope: .user)
                }
            }
        }
    }

    @Test("A directory of another user is refused", .enabled(if: geteuid() == 0, "only root can give files away"))
    func foreign() throws {
        let folder = try ServerTestFolder()
        try unsafe #require(chown(folder.path, 4242, 4242) == 0)
        #expect(throws: ListenerError.unusable(path: folder.path, reason: "the directory belongs to uid 4242")) {
            try SocketListener(path: folder.socket, scope: .user)
        }
    }

    @Test("A linked directory is followed, and what it leads to is what is checked") func linked() throws {
        let folder = try ServerTestFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/real", withIntermediateDirectories: false)
        try #require(unsafe symlink("real", folder.path + "/link") == 0)
        let listener = try SocketListener(path: folder.path + "/link/agent.sock", scope: .user)
        #expect(listener.path == folder.path + "/real/agent.sock")
    }

    @Test("A socket that no process listens on is replaced") func stale() async throws {
        let folder = try ServerTestFolder()
        var listener: SocketListener? = try SocketListener(path: folder.socket, scope: .user)
        // As after SIGKILL: the descriptors close, the files stay.
        try FileManager.default.moveItem(atPath: folder.socket, toPath: folder.path + "/kept")
        listener = nil
        try FileManager.default.moveItem(atPath: folder.path + "/kept", toPath: folder.socket)
        try Data().write(to: URL(filePath: folder.socket + ".lock"))
        listener = try SocketListener(path: folder.socket, scope: .user)
        #expect(throws: Never.self) { try ServerTestClient(path: folder.socket) }
        _ = listener
    }

    @Test("A socket that a process listens on is left alone, lock or not") func twin() throws {
        let folder = try ServerTestFolder()
        let listener = try SocketListener(path: folder.socket, scope: .user)
        let message = "an agent is already running on \(folder.socket)"
        var error = #expect(throws: ListenerError.self) { try SocketListener(path: folder.socket, scope: .user) }
        #expect(error?.message == message)
        try FileManager.default.removeItem(atPath: folder.socket + ".lock")
        error = #expect(throws: ListenerError.self) { try SocketListener(path: folder.socket, scope: .user) }
        #expect(error?.message == message)
        #expect(throws: Never.self) { try ServerTestClient(path: folder.socket) }
        _ = listener
    }

    @Test("Of twenty that start at once exactly one wins", arguments: [false, true])
    func race(withStale: Bool) async throws {
        for _ in 1...25 {
            let folder = try ServerTestFolder()
            if withStale {
                let listener = try SocketListener(path: folder.socket, scope: .user)
                try FileManager.default.moveItem(atPath: folder.socket, toPath: folder.path + "/kept")
                listener.removeName()
                try FileManager.default.moveItem(atPath: folder.path + "/kept", toPath: folder.socket)
            }
            let winners = await withTaskGroup(of: SocketListener?.self) { group in
                for _ in 1...20 {
                    group.addTask {
                        try? await ServerTestClient.offThePool {
                            try SocketListener(path: folder.socket, scope: .user)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }.compactMap(\.self)
            }
            #expect(winners.count == 1)
            #expect(throws: Never.self) { try ServerTestClient(path: folder.socket) }
        }
    }

    @Test("The descriptors do not reach a program that is started") func closeOnExec() throws {
        let folder = try ServerTestFolder()
        let listener = try SocketListener(path: folder.socket, scope: .user)
        let descriptor = try #require(listener.claim())
        defer { close(descriptor) }
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(listener.claim() == nil)
    }
}
