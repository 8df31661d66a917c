import CLinux

#if !hasFeature(Embedded)
    import Encodings
#endif

/// The header `Tokenward-Person`: the terminal and display of the person who started this client, where the agent can
/// ask for a PIN.
enum PersonHeader {
    /// The longest value in bytes that the agent takes of a variable, and of the whole header.
    private static let longestValue = 512
    private static let longest = 2048

    /// The header field with its line end; nothing without a terminal or display.
    static func field() -> [UInt8] {
        var pairs: [UInt8] = []
        add("TTY", terminal(), to: &pairs)
        for name in ["DISPLAY", "WAYLAND_DISPLAY"] as [StaticString] {
            add(name, ProcessInput.environment(name), to: &pairs)
        }
        guard !pairs.isEmpty else { return [] }
        let others: [StaticString] = [
            "TERM", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS",
            "XAUTHORITY", "PINENTRY_USER_DATA",
        ]
        for name in others { add(name, ProcessInput.environment(name), to: &pairs) }
        return Array("Tokenward-Person:".utf8) + pairs + Array("\r\n".utf8)
    }

    /// `GPG_TTY`, which people set for this very purpose, else what the kernel knows.
    private static func terminal() -> [UInt8]? {
        if let chosen = ProcessInput.environment("GPG_TTY"), chosen[0] == UInt8(ascii: "/") { return chosen }
        var path = [CChar](repeating: 0, count: 64)
        guard unsafe clinux_terminal(&path, path.count) == 0 else { return nil }
        return path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    }

    /// Leaves out a value that is too long, or has other characters than printable ASCII without spaces.
    private static func add(_ name: StaticString, _ value: [UInt8]?, to pairs: inout [UInt8]) {
        guard let value, value.count <= longestValue, pairs.count + value.count + 32 <= longest,
            value.allSatisfy({ $0.isVisible })
        else { return }
        pairs += " \(name)=".utf8
        pairs += value
    }
}
