/// systemd-logind on a bus: its methods and signals (org.freedesktop.login1(5)).
struct Logind: ~Copyable {
    private static let name = "org.freedesktop.login1"
    private static let root = "/org/freedesktop/login1"
    private static let bus = "org.freedesktop.DBus"
    private static let properties = "org.freedesktop.DBus.Properties"

    private let connection: MessageBus
    private let uid: UInt32
    /// The unique name of the one whose signals count: any peer may send us a signal, and call itself what it likes.
    private let owner: String

    /// A signal, as far as the watch needs it.
    enum Signal {
        case sleep(isAboutTo: Bool)
        case lockRequested(path: String)
        /// Something has changed in a session, or there is another, or one less.
        case sessions
        case gone
    }

    /// - Throws: `MessageBus.Failure` where there is no such bus; nil is returned where it has no logind.
    static func connect(address: String, uid: UInt32) throws(MessageBus.Failure) -> Logind? {
        let connection = try MessageBus(address: address)
        let rules = [
            "sender='\(bus)',interface='\(bus)',member='NameOwnerChanged',arg0='\(name)'",
            "sender='\(name)',interface='\(name).Manager',path='\(root)'",
            "sender='\(name)',interface='\(name).Session',path_namespace='\(root)/session'",
            "sender='\(name)',interface='\(properties)',path_namespace='\(root)/session'",
        ]
        for rule in rules {
            _ = try connection.call(
                "AddMatch", of: bus, at: "/org/freedesktop/DBus", on: bus, ["type='signal',\(rule)"])
        }
        // Asked for something, so that the bus starts it where it does not run yet. An error means that it cannot.
        guard let list = try? connection.call("ListSessions", of: "\(name).Manager", at: root, on: name),
            let owner = list.sender
        else { return nil }
        return Logind(connection: connection, uid: uid, owner: owner)
    }

    private init(connection: consuming MessageBus, uid: UInt32, owner: String) {
        self.connection = connection
        self.uid = uid
        self.owner = owner
    }

    /// The next signal that means something, or nil when none comes within so many milliseconds.
    func next(within milliseconds: UInt64) throws(MessageBus.Failure) -> Signal? {
        while let message = try connection.next(within: milliseconds) {
            if let signal = meaning(of: message) { return signal }
        }
        return nil
    }

    private func meaning(of message: borrowing BusMessage) -> Signal? {
        if message.sender == Self.bus { return message.member == "NameOwnerChanged" ? .gone : nil }
        guard message.sender == owner else { return nil }
        switch (message.interface, message.member) {
        case ("\(Self.name).Manager", "PrepareForSleep"): return message.flag().map { .sleep(isAboutTo: $0) }
        case ("\(Self.name).Manager", "SessionNew"), ("\(Self.name).Manager", "SessionRemoved"): return .sessions
        case ("\(Self.name).Session", "Lock"): return message.path.map { .lockRequested(path: $0) }
        case (Self.properties, "PropertiesChanged"): return .sessions
        default: return nil
        }
    }

    /// Keeps the machine from sleeping for some seconds, until the descriptor is closed.
    func delaySleep() throws(MessageBus.Failure) -> Int32? {
        try connection.call(
            "Inhibit", of: "\(Self.name).Manager", at: Self.root, on: Self.name,
            ["sleep", "Tokenward", "PINs and credentials are to be forgotten first", "delay"]
        ).descriptor()
    }

    /// The user's sessions as they are now.
    func sessions() throws(MessageBus.Failure) -> UserSessions {
        let list = try connection.call("ListSessions", of: "\(Self.name).Manager", at: Self.root, on: Self.name)
        var sessions = UserSessions()
        guard list.enter("a", "(susso)") else { return sessions }
        while list.enter("r", "susso") {
            defer { list.exit() }
            guard let id = list.text(), let user = list.number(), list.text() != nil, list.text() != nil,
                let path = list.text("o"), user == uid
            else { continue }
            sessions.paths.insert(path)
            // One that does not answer has gone since, or is about to.
            if (try? flag("LockedHint", of: path)) == true { sessions.isLocked = true }
            guard let state = try? text("State", of: path), state != "closing" else { continue }
            // "user", "user-early", …: not the user's own manager, nor what cron opens, nor a screen for logging in.
            if (try? text("Class", of: path))?.hasPrefix("user") == true { sessions.open.insert(id) }
        }
        return sessions
    }

    private func text(_ property: String, of path: String) throws(MessageBus.Failure) -> String? {
        let value = try self.property(property, of: path)
        return value.enter("v", "s") ? value.text() : nil
    }

    private func flag(_ property: String, of path: String) throws(MessageBus.Failure) -> Bool? {
        let value = try self.property(property, of: path)
        return value.enter("v", "b") ? value.flag() : nil
    }

    private func property(_ property: String, of path: String) throws(MessageBus.Failure) -> BusMessage {
        try connection.call("Get", of: Self.properties, at: path, on: Self.name, ["\(Self.name).Session", property])
    }
}
