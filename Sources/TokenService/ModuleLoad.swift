/// What a worker loads, and the walls that it puts up around itself first.
package struct ModuleLoad: Hashable, Sendable {
    /// The library. Its worker looks at the file before it loads it, because a file system may hang.
    package var path: String
    /// How many threads sign.
    package var sessions: UInt8
    /// The string that C_Initialize gets as `pReserved`; nil for the modules that want none.
    package var initArguments: String?
    package var walls: WorkerWalls

    package init(path: String, sessions: UInt8, initArguments: String? = nil, walls: WorkerWalls = WorkerWalls()) {
        self.path = path
        self.sessions = sessions
        self.initArguments = initArguments
        self.walls = walls
    }
}

/// What a module may do beside its own work. The kernel enforces it, where it can.
package struct WorkerWalls: Hashable, Sendable {
    /// Whether it may open sockets other than Unix ones.
    package var hasNetwork: Bool
    /// What it may change: these files, and all beneath these folders. Each must exist.
    package var writable: [String]

    package init(hasNetwork: Bool = false, writable: [String] = []) {
        self.hasNetwork = hasNetwork
        self.writable = writable
    }
}

extension ModuleLoad: WireValue {
    package func write(to writer: inout WireWriter) {
        writer.add(path, sessions, initArguments, walls.hasNetwork, walls.writable)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            path: try reader.value(), sessions: try reader.value(), initArguments: try reader.value(),
            walls: WorkerWalls(hasNetwork: try reader.value(), writable: try reader.list(upTo: 256)))
    }
}
