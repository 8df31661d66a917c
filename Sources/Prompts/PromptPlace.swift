import Encodings

/// The terminal, the display and the language of the person who waits for an answer, as a client has passed them on.
///
/// They come from a program of the agent's own user. Those of other users are ignored: one user could draw on another's
/// screen.
package struct PromptPlace: Hashable, Sendable {
    /// The variables that pinentry is started with, by name.
    package let environment: [String: String]
    /// The path of a terminal.
    package let terminal: String?

    /// The variables that clients may pass on, by their names for pinentry.
    static let names: Set = [
        "TERM", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "LANG",
        "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "PINENTRY_USER_DATA",
    ]
    static let longestValue = 512
    /// Of the header's value, in bytes.
    package static let longestHeader = 2048

    /// Reads the value of a request's `Tokenward-Person`: `NAME=VALUE` with spaces between, each value printable ASCII
    /// without spaces. Unknown names and values that are too long are left out.
    ///
    /// - Returns: Nil where there is neither a terminal nor a display to ask on.
    package init?(header: [UInt8]) {
        var environment: [String: String] = [:]
        var terminal: String?
        for pair in header.split(separator: UInt8(ascii: " ")) {
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")), pair.allSatisfy({ 0x21...0x7E ~= $0 }) else {
                continue
            }
            let name = String(decoding: pair[..<equals], as: UTF8.self)
            let value = String(decoding: pair[(equals + 1)...], as: UTF8.self)
            guard (1...Self.longestValue).contains(value.utf8.count) else { continue }
            if name == "TTY" {
                terminal = Self.isTerminalPath(value) ? value : nil
            } else if Self.names.contains(name) {
                environment[name] = value
            }
        }
        let hasDisplay = environment["DISPLAY"] != nil || environment["WAYLAND_DISPLAY"] != nil
        guard terminal != nil || hasDisplay else { return nil }
        self.environment = environment
        self.terminal = terminal
    }

    private static func isTerminalPath(_ path: String) -> Bool {
        path.hasPrefix("/dev/") && !path.holds(text: "..")
            && path.utf8.allSatisfy { $0.isAlphanumeric || "/_.-".utf8.contains($0) }
    }

    /// The options that tell pinentry where it is (gnupg's `agent/call-pinentry.c`). Those that it does not know do no
    /// harm; Wayland and XAUTHORITY it has from its environment.
    var options: [(name: String, value: String)] {
        let language = environment["LC_ALL"]
        let all: [(String, String?)] = [
            ("ttyname", terminal), ("ttytype", terminal.flatMap { _ in environment["TERM"] }),
            ("display", environment["DISPLAY"]),
            ("lc-ctype", language ?? environment["LC_CTYPE"] ?? environment["LANG"]),
            ("lc-messages", language ?? environment["LC_MESSAGES"] ?? environment["LANG"]),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }
}
